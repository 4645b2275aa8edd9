// Reads workflows and actions (action.yml) with GitHub's own parser. Arguments: files. Prints JSON: file -> {errors, jobs}.
import { readFileSync } from "node:fs";
import { register } from "node:module";

register("./json-modules.mjs", import.meta.url);
const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await import("@actions/workflow-parser");
const { parseAction } = await import("@actions/workflow-parser/actions/action-parser");

async function read(path) {
  const file = { name: path, content: readFileSync(path, "utf8") };
  if (path.endsWith("action.yml")) {
    const { context } = parseAction(file, new NoOperationTraceWriter());
    return { errors: context.errors.getErrors().map((error) => error.message), jobs: [] };
  }
  const { context, value } = parseWorkflow(file, new NoOperationTraceWriter());
  const before = context.errors.getErrors().map((error) => error.message);
  if (value === undefined || before.length > 0) return { errors: before, jobs: [] };
  const workflow = await convertWorkflowTemplate(context, value);
  const errors = [...context.errors.getErrors(), ...(workflow.errors ?? [])].map((error) => error.message ?? error.Message);
  const jobs = workflow.jobs.map((job) => ({
    id: job.id.value,
    needs: (job.needs ?? []).map((need) => need.value),
    environment: job.environment?.value ?? job.environment,
    uses: (job.steps ?? []).map((step) => step.uses?.value ?? null),
    run: job.steps?.at(-1)?.run?.toString(),
  }));
  return { errors, jobs };
}

const answers = {};
for (const path of process.argv.slice(2)) answers[path] = await read(path);
console.log(JSON.stringify(answers));
