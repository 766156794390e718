// @ts-check
// `npm run ferrite -- status`: the command line, also where only an older Node.js is installed.
import { runFerrite } from "./setup/run-ferrite.mjs";

await runFerrite(process.argv.slice(2));
