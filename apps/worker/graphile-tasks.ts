import { createTaskList } from "./define-task.ts";
import { stockContext, stockOptions } from "./stock.ts";
import { tasks } from "./tasks.ts";

/** The module that the stock command takes for its task directory: names with a colon cannot be file names everywhere. */
export default createTaskList(tasks, stockContext, { hasCluster: stockOptions.cluster !== null });
