// The parser imports JSON without saying so, which Node refuses; a bundler would have put the JSON into the code.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export async function load(url, context, nextLoad) {
  if (!url.endsWith(".json")) return nextLoad(url, context);
  const source = `export default ${await readFile(fileURLToPath(url), "utf8")}`;
  return { format: "module", source, shortCircuit: true };
}
