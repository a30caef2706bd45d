import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Links to other files and to headings, outside of code. */
export function linksOf(text: string): string[] {
  const prose = text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** Whether what a link of a file names is there. @param file absolute. */
export function leadsSomewhere(file: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? file : resolve(dirname(file), path);
  if (!existsSync(target)) return false;
  return heading === undefined || headingsOf(readFileSync(target, 'utf8')).has(heading);
}

function headingsOf(text: string): Set<string> {
  const titles = [...text.matchAll(/^#+ +(.*)$/gm)].map(([, title]) => title!);
  const slug = (title: string): string =>
    title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').trim().replace(/ /g, '-'); // prettier-ignore
  return new Set(titles.map(slug));
}
