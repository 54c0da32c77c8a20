export { type DeleteAccount, deleteAccount, type Deletion } from "./delete-account.ts";
export { erasePerson, type ErasedPerson, sweepDeletions } from "./erase-person.ts";
export { type ExportedRecord, exportData } from "./export-data.ts";
export { type DeletionPreview, type KeptThing, keptThings, previewDeletion } from "./preview-deletion.ts";
export { type ObstacleCode, obstacleWords, type Standing } from "./standing.ts";
