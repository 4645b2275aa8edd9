// One script for all three phases, as many actions have it: the state says which one this is.
const fs = require("fs");
const env = process.env;
const tell = (file, text) => fs.appendFileSync(env[file], text + "\n");

if (!env.STATE_phase) {
  console.log("pre of " + env.INPUT_WHO);
  tell("GITHUB_STATE", "phase=main");
} else if (env.STATE_phase === "main") {
  const inputs = Object.keys(env).filter((name) => name.startsWith("INPUT_")).sort();
  console.log(inputs.map((name) => name + "=" + env[name]).join(" "));
  console.log([env.GITHUB_ACTION, env.GITHUB_ACTION_REPOSITORY, env.GITHUB_ACTION_REF].join(" "));
  console.log(["LEVEL", "ACTIONS_ID_TOKEN_REQUEST_URL"].map((name) => typeof env[name]).join(" "));
  console.log("::add-mask::hidden%25");
  console.log("hidden% and::not a command");
  console.log("::set-output name=older::one%0Atwo");
  console.log("::stop-commands::until-then");
  console.log("::error::quoted");
  console.log("::until-then::");
  console.log("##[add-matcher]somewhere.json");
  tell("GITHUB_OUTPUT", "greeting<<END\nhello " + env.INPUT_WHO + "\nEND");
  tell("GITHUB_ENV", "GREETED=" + env.INPUT_WHO);
  console.log("::save-state name=phase::post");
  if (env.INPUT_WHO === "nobody") {
    console.log("::error::Nobody%3A is there%0Ato greet");
    process.exit(1);
  }
} else {
  console.log("post of " + env.INPUT_WHO);
}
