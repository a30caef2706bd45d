// `npm start`: on a bare clone installs and builds, then runs the gateway in this very process, so that signals,
// exit code and environment reach it untouched. With nothing to do it costs some 20 ms.
const [major, minor] = process.versions.node.split('.').map(Number);
// Packages that are ES modules are loaded by require(), which Node does since 20.19 and 22.12.
if (major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12)) {
  console.error(`gatehouse: Node 20.19, 22.12 or newer is needed; this is ${process.version}.`);
  process.exit(1);
}

// Imported only now: an older Node must see the message above, not a syntax error.
import('./prepare.mjs').then(async ({ MAIN, prepare, runScript }) => {
  await runScript(() => prepare());
  // As `node dist/src/main.js` would: argv[1] is what node:cluster starts for its workers.
  process.argv[1] = MAIN;
  const { default: Module } = await import('node:module');
  Module.runMain();
});
