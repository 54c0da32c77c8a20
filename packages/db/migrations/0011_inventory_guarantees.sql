-- Closed word lists and grants of the inventory. The server asks for audits and reads what they found; the worker makes them.

alter table inventory_audits add constraint inventory_audits_status check (status in ('queued', 'running', 'finished', 'failed'));
--> statement-breakpoint
alter table inventory_findings add constraint inventory_findings_words check (
  kind in (
    'missing', 'changed', 'mislabelled', 'running_unwanted', 'extra', 'foreign', 'unrenderable',
    'orphan_namespace', 'namespace_stuck', 'stray', 'wrong_phase', 'hold_without_instance', 'instance_without_hold'
  )
  and severity in ('critical', 'warning', 'info') and action in ('none', 'repaired', 'deleted', 'kept_for_data')
);
--> statement-breakpoint
grant select, insert on inventory_audits to sewa_app;
--> statement-breakpoint
grant select on inventory_findings to sewa_app;
--> statement-breakpoint
grant select, insert, update, delete on inventory_audits, inventory_findings to sewa_worker;
