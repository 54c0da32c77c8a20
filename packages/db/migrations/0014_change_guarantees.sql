-- Words of changes, what of a change is frozen, and the rights on it.

alter table operations drop constraint operations_words;
--> statement-breakpoint
alter table operations add constraint operations_words check (
  kind in ('provision', 'start', 'stop', 'restart', 'resize', 'update', 'upgrade', 'deprovision')
  and status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')
);
--> statement-breakpoint
alter table invoices drop constraint invoices_words;
--> statement-breakpoint
alter table invoices add constraint invoices_words check (
  status in ('draft', 'open', 'paid', 'void', 'uncollectible') and reason in ('order', 'renewal', 'reactivation', 'change')
);
--> statement-breakpoint
alter table instance_changes add constraint instance_changes_words check (
  kind in ('resize', 'update', 'upgrade', 'deprovision')
  and status in ('planning', 'planned', 'awaiting_payment', 'approved', 'executing', 'executed', 'failed', 'refused', 'expired')
);
--> statement-breakpoint

-- What was approved is what is carried out: the plan that its owner saw is never edited, and what has ended does not begin again.
create function instance_changes_frozen() returns trigger language plpgsql as $$
begin
  if old.status in ('executed', 'failed', 'refused', 'expired') and new.status <> old.status then
    raise exception 'change % has ended', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if (new.id, new.organization_id, new.instance_id, new.subscription_id, new.kind, new.request, new.shape_before, new.currency,
      new.amount_before_minor, new.amount_after_minor, new.due_minor, new.planned_at, new.requested_by)
     is distinct from
     (old.id, old.organization_id, old.instance_id, old.subscription_id, old.kind, old.request, old.shape_before, old.currency,
      old.amount_before_minor, old.amount_after_minor, old.due_minor, old.planned_at, old.requested_by) then
    raise exception 'the request of change % is frozen', old.id using errcode = 'integrity_constraint_violation';
  end if;
  if old.status <> 'planning'
     and (new.shape_after, new.keeps_storage, new.effects, new.facts_hash, new.world_hash, new.hash)
         is distinct from (old.shape_after, old.keeps_storage, old.effects, old.facts_hash, old.world_hash, old.hash) then
    raise exception 'the plan of change % is frozen', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger instance_changes_frozen before update on instance_changes for each row execute function instance_changes_frozen();
--> statement-breakpoint
grant select, insert, update on instance_changes to sewa_app, sewa_worker;
--> statement-breakpoint

-- Plans that came to nothing are cleaned up; what was approved stays.
grant delete on instance_changes to sewa_worker;
--> statement-breakpoint
create function instance_changes_kept() returns trigger language plpgsql as $$
begin
  if old.approved_at is not null or old.ended_at is null then
    raise exception 'change % is kept', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return old;
end
$$;
--> statement-breakpoint
create trigger instance_changes_kept before delete on instance_changes for each row execute function instance_changes_kept();
