import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Readable, Writable } from 'node:stream';
import { scratchFolder, startChild } from '../support/children';
import { run } from '#apps/cli/src/run';
import { Session } from '#apps/cli/src/session';
import type { ClientEnvironment } from '#libs/config';
import { ADMIN_TOKEN } from '../support/gateway';

const LAUNCHER = resolve(__dirname, '../../bin/gatehouse.js');

export interface CommandOptions {
  env?: Record<string, string>;
  stdin?: string;
  cwd?: string;
}

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** stdout as JSON; fails if it is none. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tests look into results of all shapes
  json(): any;
}

/** Runs the real binary in a process of its own, without anything of our environment, and waits for its end. */
export async function gatehouse(args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = await startChild(process.execPath, [LAUNCHER, ...args], {
    cwd: options.cwd ?? scratchFolder('cwd'),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { stdin, stdout, stderr } = child.process;
  const written = Promise.all([text(stdout as Readable), text(stderr as Readable)]);
  // A command that does not read its stdin may have closed it already.
  (stdin as Writable).on('error', () => undefined);
  (stdin as Writable).end(options.stdin ?? '');
  const { code } = await child.exited;
  const [out, err] = await written;
  return { code, stdout: out, stderr: err, json: () => JSON.parse(out) as unknown };
}

/** Commands for one gateway, with its admin token. */
export function commandsFor({ adminUrl }: { adminUrl: string }) {
  const env = { GATEHOUSE_URL: adminUrl, GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN };
  return (args: string[], options: CommandOptions = {}): Promise<CommandResult> =>
    gatehouse(args, { ...options, env: { ...env, ...options.env } });
}

/** What came of a command that somebody has typed, and what they were asked. */
export type TypedResult = CommandResult & { questions: string[]; bytes: Buffer };

/**
 * Commands for one gateway as somebody types them at a terminal, inside this process: far cheaper than the binary.
 * @param answer what they say when they are asked.
 */
export function typedFor(
  { adminUrl }: { adminUrl: string },
  { answer = true, backupPassphrase }: { answer?: boolean; backupPassphrase?: string } = {},
) {
  return async (args: string[]): Promise<TypedResult> => {
    const said = { stdout: '', stderr: '', bytes: [] as Uint8Array[], questions: [] as string[] };
    const terminal = {
      out: (text: string) => void (said.stdout += text),
      err: (text: string) => void (said.stderr += text),
      bytes: (bytes: Uint8Array) => Promise.resolve(void said.bytes.push(bytes)),
      interactive: true,
      coloured: false,
      confirm: (question: string) => Promise.resolve((said.questions.push(question), answer)),
    };
    const local = { token: undefined, dataDir: scratchFolder('cwd') };
    const environment: ClientEnvironment = {
      url: adminUrl,
      token: ADMIN_TOKEN,
      local,
      backupPassphrase,
      colourless: true,
      underNpx: false,
      all: {},
    };
    const code = await run(new Session(environment, terminal), args);
    return {
      code,
      ...said,
      bytes: Buffer.concat(said.bytes),
      json: () => JSON.parse(said.stdout) as unknown,
    };
  };
}

/** What a command that went well printed, as JSON. */
export async function jsonOf(result: Promise<CommandResult>): Promise<ReturnType<CommandResult['json']>> {
  const ended = await result;
  expect({ code: ended.code, stderr: ended.stderr }).toMatchObject({ code: 0 });
  return ended.json() as unknown;
}
