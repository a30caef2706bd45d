import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listProjectFiles, readProjectFile } from './read-projects';

describe('files of projects', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-projects-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const problemsOf = (text: string): string[] => {
    const file = join(folder, 'x.yaml');
    writeFileSync(file, text);
    return readProjectFile(file).problems.map(
      ({ line, column, field, message }) => `${line}:${column} ${field} ${message}`,
    );
  };

  it.each([
    ['project: { id: a }\nroutes: []\n', []],
    ['', ['1:1 project must be an object with an id']],
    ['a: 1', ['1:1 project must be an object with an id']],
    ['- 1', ['1:1 project must be an object with an id']],
    ['project: acme', ['1:10 project must be an object with an id']],
    ['project:\n  id: 7', ['2:7 project.id must be a text']],
    ['project: { id: a }\nroutes: { a: 1 }', ['2:9 routes must be a list of objects']],
    ['project: { id: a }\nservices:\n  x: 1', ['3:3 services must be objects by name']],
    ['http: {}', ['1:7 http is in the format of Traefik, which only a gateway with CONFIG_DIR reads']],
    [
      'project: { id: a }\nservices: { x: { url: "${HOST}" } } # ${FREE}',
      ['2:23  asks for a variable, which only a gateway with CONFIG_DIR fills in'],
    ],
    ['a: 1\na: 2', ['2:1  is not YAML: Map keys must be unique']],
  ])('%j', (text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it('are the visible YAML and JSON files of a folder', () => {
    for (const name of ['b.yml', 'a.json', '.hidden.yaml', 'notes.md']) writeFileSync(join(folder, name), '');
    const names = listProjectFiles(folder).map((file) => file.slice(folder.length + 1));
    expect(names.filter((name) => name !== 'x.yaml')).toEqual(['a.json', 'b.yml']);
    expect(() => listProjectFiles(join(folder, 'none'))).toThrow('cannot be read');
  });
});
