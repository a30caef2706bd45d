import { spawn } from 'node:child_process';

/** Runs a script of the repository to its end. */
export async function runScript(
  file: string,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  children.delete(child);
  return { code, output };
}

const children = new Set<ReturnType<typeof spawn>>();
// What a test that took too long has left; SIGTERM, so that they end what they have started.
afterAll(() => {
  for (const child of children) child.kill('SIGTERM');
});
