import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type TestChild, scratchFolder, startChild, waitFor } from '../support/children';

const ROOT = resolve(__dirname, '../..');

/** Stands in for npm: notes that it was called and lays down what `npm ci` would, at once or when told to. */
const FAKE_NPM = `
  const fs = require('node:fs');
  fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
  fs.rmSync('node_modules', { recursive: true, force: true });
  fs.mkdirSync('node_modules');
  fs.symlinkSync(${JSON.stringify(join(ROOT, 'node_modules/typescript'))}, 'node_modules/typescript');
  if (fs.existsSync('vite.js')) fs.cpSync('vite.js', 'node_modules/vite/bin/vite.js');
  const finish = () => fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
  if (fs.existsSync('npm-fails')) process.exit(9);
  const parent = process.ppid;
  if (fs.existsSync('npm-hangs')) setInterval(() => process.ppid === parent || process.exit(), 50);
  else setTimeout(finish, 100);
`;

let original: Promise<Clone> | undefined;

/** A clone in small: the real scripts, and a gateway that says its line and exits with 7 on SIGTERM. */
class Clone {
  readonly folder = scratchFolder('clone');

  /** One that was installed and built already: a copy, for a build costs a second. */
  static async built(): Promise<Clone> {
    original ??= (async () => {
      const first = new Clone();
      await first.startAndStop();
      return first;
    })();
    const { folder } = await original;
    const copy = new Clone();
    cpSync(folder, copy.folder, {
      recursive: true,
      force: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
    return copy;
  }

  constructor() {
    for (const name of ['prepare.mjs', 'dashboard.mjs', 'compile.mjs', 'start.mjs', 'build.mjs']) {
      cpSync(join(ROOT, 'scripts', name), join(this.folder, 'scripts', name));
    }
    const options = {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2022'],
      rootDir: '.',
      outDir: 'dist',
      types: [],
      strict: true,
      skipLibCheck: true,
    };
    this.write('tsconfig.json', JSON.stringify({ compilerOptions: options, include: ['src', 'libs'] }));
    this.write(
      'tsconfig.build.json',
      JSON.stringify({ extends: './tsconfig.json', exclude: ['**/*.spec.ts'] }),
    );
    this.write('package.json', JSON.stringify({ imports: { '#libs/*': './dist/libs/*/src/index.js' } }));
    this.lock('1.0.0');
    this.write('libs/words/src/index.ts', `export const msg = 'serving';`);
    this.write('libs/words/src/script.lua', 'return 1');
    this.greet('msg');
    this.write('npm.js', FAKE_NPM);
  }

  /** Makes the gateway say what this expression yields. */
  greet(expression: string): void {
    this.write(
      'src/main.ts',
      `import { msg } from '#libs/words';
       declare const process: any, console: any, setInterval: any;
       setInterval(() => {}, 1000);
       process.on('SIGTERM', () => process.exit(7));
       console.log(JSON.stringify({ msg, said: ${expression}, pid: process.pid, entry: process.argv[1], a: process.env.A }));`,
    );
  }

  lock(version: string): void {
    const packages = {
      '': { devDependencies: { typescript: 'x' } },
      'node_modules/typescript': { version, dev: true },
      'node_modules/elsewhere': { version: '1.0.0', optional: true },
    };
    this.write('package-lock.json', JSON.stringify({ packages }));
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Gives it a dashboard, built by something that writes one page. */
  addDashboard(): void {
    this.write('apps/dashboard/package.json', '{}');
    this.write('apps/dashboard/package-lock.json', '{}');
    this.write('apps/dashboard/src/main.tsx', 'the page');
    this.write(
      'apps/dashboard/vite.js',
      `const out = process.argv.at(-1), fs = require('node:fs');
       fs.mkdirSync(out);
       fs.copyFileSync('src/main.tsx', out + '/index.html');`,
    );
  }

  npmCalls(): string[] {
    return existsSync(this.path('npm-calls'))
      ? readFileSync(this.path('npm-calls'), 'utf8').trim().split('\n')
      : [];
  }

  /** Runs scripts/start.mjs to its first line, or to its end. */
  async start(env: Record<string, string> = {}): Promise<Started> {
    const child = await startChild(process.execPath, [this.path('scripts/start.mjs')], {
      cwd: this.folder,
      env: { PATH: process.env.PATH, npm_execpath: this.path('npm.js'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started: Started = { child, stdout: '', stderr: '' };
    child.process.stdout!.on('data', (chunk: Buffer) => (started.stdout += chunk.toString()));
    child.process.stderr!.on('data', (chunk: Buffer) => (started.stderr += chunk.toString()));
    return started;
  }

  async startToFirstLine(env?: Record<string, string>): Promise<Started & { line: Record<string, unknown> }> {
    const started = await this.start(env);
    await waitFor(
      `a line (stderr: ${started.stderr})`,
      () => started.stdout || started.child.hasExited(),
      10_000,
    );
    expect(started.stderr).not.toContain('Error');
    return Object.assign(started, { line: JSON.parse(started.stdout) as Record<string, unknown> });
  }

  /** Starts, reads its line, ends it. */
  async startAndStop(env?: Record<string, string>): Promise<{ said: unknown; stderr: string }> {
    const { child, line, stderr } = await this.startToFirstLine(env);
    expect(await child.end('SIGTERM')).toEqual({ code: 7, signal: null });
    return { said: line.said, stderr };
  }
}

interface Started {
  child: TestChild;
  stdout: string;
  stderr: string;
}

// Each case compiles several times, on machines that may be slow and busy.
jest.setTimeout(60_000);

describe('npm start', () => {
  it('installs and builds on a bare clone, then is the gateway itself', async () => {
    const clone = new Clone();
    const { child, line, stderr } = await clone.startToFirstLine({ A: 'b', NODE_ENV: 'production' });
    expect(line).toMatchObject({
      msg: 'serving',
      pid: child.pid,
      entry: clone.path('dist/src/main.js'),
      a: 'b',
    });
    expect(stderr).toMatch(
      /^gatehouse: installing.*\ngatehouse: packages installed.*\ngatehouse: building.*\ngatehouse: built.*\n$/,
    );
    expect(clone.npmCalls()).toEqual([expect.stringMatching(/^ci --include=dev /)]);
    expect(existsSync(clone.path('dist/libs/words/src/script.lua'))).toBe(true);
    expect(await child.end('SIGTERM')).toEqual({ code: 7, signal: null });
    expect(readdirSync(clone.path('.build'))).toEqual([]);
  });

  it('does nothing the second time, also after a checkout that changed times only', async () => {
    const clone = await Clone.built();
    expect((await clone.startAndStop()).stderr).toBe('');
    const main = clone.path('src/main.ts');
    utimesSync(main, new Date(0), new Date(0));
    expect((await clone.startAndStop()).stderr).toBe('');
    expect(clone.npmCalls()).toHaveLength(1);
  });

  it('builds again after a change of the sources, installs again after a change of the lock file', async () => {
    const clone = await Clone.built();
    clone.greet('"changed"');
    const rebuilt = await clone.startAndStop();
    expect(rebuilt).toMatchObject({ said: 'changed', stderr: expect.stringContaining('built in') });
    expect(rebuilt.stderr).not.toContain('installing');
    clone.lock('1.0.1');
    const reinstalled = await clone.startAndStop();
    expect(reinstalled).toMatchObject({ said: 'changed', stderr: expect.stringContaining('installed in') });
    expect(reinstalled.stderr).not.toContain('building');
    clone.write('src/some.spec.ts', 'not part of the product');
    expect((await clone.startAndStop()).stderr).toBe('');
  });

  it('names the error of a build that fails, and starts neither this nor the last one', async () => {
    const clone = await Clone.built();
    clone.greet('nonsense');
    const failed = await clone.start();
    expect(await failed.child.exited).toEqual({ code: 1, signal: null });
    expect(failed.stdout).toBe('');
    expect(failed.stderr).toMatch(/src\/main\.ts.*Cannot find name 'nonsense'[^]*the build failed/);
    expect(existsSync(clone.path('dist/src/main.js'))).toBe(true);
    clone.greet('"mended"');
    expect((await clone.startAndStop()).said).toBe('mended');
  });

  it('takes no tree for good that a failed or killed install left behind', async () => {
    const clone = new Clone();
    clone.write('npm-fails', '');
    const failed = await clone.start();
    expect(await failed.child.exited).toEqual({ code: 1, signal: null });
    expect(failed.stderr).toContain('npm ci failed (exit code 9)');
    rmSync(clone.path('npm-fails'));

    clone.write('npm-hangs', '');
    const terminated = await clone.start();
    await waitFor('npm', () => clone.npmCalls().length === 2);
    expect((await terminated.child.end('SIGTERM')).code).toBe(143);
    const killed = await clone.start();
    await waitFor('npm', () => clone.npmCalls().length === 3);
    await killed.child.end('SIGKILL');
    expect(existsSync(clone.path('.build/lock'))).toBe(true);
    rmSync(clone.path('npm-hangs'));

    // The dead one's lock is broken at once, and its work done again.
    expect(await clone.startAndStop()).toMatchObject({ said: 'serving' });
    expect(clone.npmCalls()).toHaveLength(4);
  });

  it('does the work once when three start at the same time', async () => {
    const clone = new Clone();
    const started = await Promise.all([1, 2, 3].map(() => clone.startToFirstLine()));
    expect(started.map(({ line }) => line.said)).toEqual(['serving', 'serving', 'serving']);
    expect(started.filter(({ stderr }) => stderr.includes('built in'))).toHaveLength(1);
    expect(clone.npmCalls()).toHaveLength(1);
    await Promise.all(started.map(({ child }) => child.end('SIGTERM')));
  });

  it('runs an image that has dist/ but neither sources nor compiler, from a read-only tree', async () => {
    const clone = await Clone.built();
    rmSync(clone.path('src'), { recursive: true });
    rmSync(clone.path('node_modules/typescript'));
    writeFileSync(clone.path('node_modules/.package-lock.json'), JSON.stringify({ packages: {} }));
    chmodSync(clone.folder, 0o555);
    expect(await clone.startAndStop()).toEqual({ said: 'serving', stderr: '' });
    chmodSync(clone.folder, 0o755);
  });

  it('builds the dashboard with its own packages, and again when its sources have changed', async () => {
    const clone = await Clone.built();
    clone.addDashboard();
    expect((await clone.startAndStop()).stderr).toMatch(/packages of the dashboard.*\n.*dashboard built in/);
    const page = clone.path('dist/dashboard/index.html');
    expect(readFileSync(page, 'utf8')).toBe('the page');
    expect((await clone.startAndStop()).stderr).toBe('');
    clone.write('apps/dashboard/src/main.tsx', 'another page');
    expect((await clone.startAndStop()).stderr).toMatch(/^gatehouse: dashboard built in .*\n$/);
    // The gateway's own build takes it along.
    clone.greet('"changed"');
    expect((await clone.startAndStop()).stderr).not.toContain('dashboard');
    expect(readFileSync(page, 'utf8')).toBe('another page');
  });

  it('starts without a dashboard that cannot be built, says so, and does not try at every start', async () => {
    const clone = await Clone.built();
    clone.addDashboard();
    clone.write('apps/dashboard/npm-fails', '');
    const said = /the dashboard is not built \(its packages could not be installed\)/;
    const first = await clone.startAndStop();
    expect(first).toMatchObject({ said: 'serving', stderr: expect.stringMatching(said) });
    const second = await clone.startAndStop();
    expect(second.stderr).toMatch(said);
    expect(second.stderr).not.toContain('installing');
  });
});
