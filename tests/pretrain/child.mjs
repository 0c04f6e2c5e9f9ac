/** Runs the fixture's small run in a process of its own, from the TypeScript sources: child.mjs <json of arguments>. */
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const server = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true, include: [] },
});
const { runAndHang } = await server.ssrLoadModule(fileURLToPath(new URL('fixture.ts', import.meta.url)));
await runAndHang(...JSON.parse(process.argv[2]));
await server.close();
