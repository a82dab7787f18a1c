// Imported first by every command: an old Node.js is told so in a sentence before anything it cannot run is evaluated.
import { nodeComplaint } from './node-version.mjs';

const complaint = nodeComplaint(process.versions.node);
if (complaint) {
  console.error(complaint);
  process.exit(1);
}
