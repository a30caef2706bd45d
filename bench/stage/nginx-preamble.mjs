/**
 * The first lines of both nginx configurations, upstream and peer: one worker, everything below one folder.
 * @param {string} home  folder for its pid
 */
export function nginxPreamble(home) {
  // As root, nginx would switch its worker to a user who may not enter the private folder of this run.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${user}daemon off;
worker_processes 1;
pid ${home}/pid;
error_log stderr warn;
events { worker_connections 4096; }`;
}
