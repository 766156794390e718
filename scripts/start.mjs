// @ts-check
// `npm start`: a three-node cluster on this machine. Arguments go on to `ferrite dev`.
import { runFerrite } from "./setup/run-ferrite.mjs";

await runFerrite(["dev", ...process.argv.slice(2)]);
