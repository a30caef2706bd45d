// The nginx of deploy/compose as a process of this machine.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { answers, programOnPath, until } from './processes.mjs';

/**
 * @param ports of the two data planes.
 * @returns its port, or undefined where there is no nginx.
 */
export async function startNginx(processes, root, ports, port) {
  const program = programOnPath('nginx');
  if (!program) return undefined;
  const folder = path.join(processes.folder, 'nginx');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'nginx.conf'), configuration(root, folder, ports, port));
  const args = ['-p', folder, '-e', path.join(folder, 'error.log'), '-c', path.join(folder, 'nginx.conf')];
  const check = spawnSync(program, [...args, '-t'], { encoding: 'utf8' });
  if (check.status !== 0) throw new Error(`deploy/compose/nginx.conf is refused: ${check.stderr}`);
  processes.start('nginx', program, args);
  await until('nginx', () => answers(`http://127.0.0.1:${port}/ping`));
  return port;
}

/** The server of Compose inside what a whole configuration needs, so that it runs as any user. */
function configuration(root, folder, [first, second], port) {
  const server = fs
    .readFileSync(path.join(root, 'deploy/compose/nginx.conf'), 'utf8')
    .replace('data-plane-1:3000', `127.0.0.1:${first}`)
    .replace('data-plane-2:3000', `127.0.0.1:${second}`)
    .replace('listen 8080', `listen 127.0.0.1:${port}`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
access_log off;
${temporary.join('\n')}
${server}
}
`;
}
