import type { Command } from 'commander';
import type { Document } from '../admin-api';
import { headers } from '../flags';
import type { Output } from '../output/output';
import { inline, printable } from '../output/printable';
import type { Session } from '../session';

interface Judgement {
  guard: string;
  verdict: 'pass' | 'refuse' | 'not_reached';
  code?: string;
  reason?: string;
  details?: Document;
}

/** `gatehouse explain METHOD PATH` */
export function addExplainCommand(program: Command, session: Session): void {
  program
    .command('explain')
    .description('say what would happen to a request, and why; nothing is forwarded or counted')
    .argument('<method>', 'such as GET')
    .argument('<path>', 'as a client sends it, such as /api/v1/users?page=2')
    .option('-H, --header <header>', "a header, such as 'X-API-Key: …'; may be repeated", headers)
    .option('--client-address <address>', 'the other end of the connection; absent: 127.0.0.1')
    .action(
      async (
        method: string,
        path: string,
        options: { header?: Record<string, string[]>; clientAddress?: string },
        command: Command,
      ) => {
        const { api, output } = session.open(command);
        const { header, clientAddress } = options;
        const question = { method, path, headers: header, clientAddress };
        const { body } = await api.call('POST', '/admin/explain', { body: question });
        output.result(body, () => ladder(`${method.toUpperCase()} ${path}`, body, output));
      },
    );
}

/** The verdicts from the first guard to the last, one a line, and what comes of them. */
export function ladder(request: string, explanation: Document, output: Pick<Output, 'paint'>): string {
  const judgements = explanation.judgements as Judgement[];
  const widest = Math.max(...judgements.map(({ guard }) => guard.length));
  const rungs = judgements.flatMap((judgement) => rung(judgement, widest, output));
  const beyond = BEYOND.flatMap((name) => aside(name, explanation[name] as Document | undefined, widest));
  return [printable(request), ...rungs, ...beyond, outcome(explanation, output)].join('\n');
}

/** What comes after the guards, and refuses nothing. */
const BEYOND = ['cache', 'target'] as const;

function aside(name: string, said: Document | undefined, widest: number): string[] {
  return said ? [`  -       ${name.padEnd(widest)}  ${told(said)}`] : [];
}

function rung(judgement: Judgement, widest: number, output: Pick<Output, 'paint'>): string[] {
  const { guard, verdict, code, reason, details } = judgement;
  const name = printable(guard).padEnd(widest);
  if (verdict === 'not_reached') return [output.paint(`  -       ${name}  not reached`, 'dim')];
  if (verdict === 'pass')
    return [`  ${output.paint('pass', 'green')}    ${name}  ${told(details)}`.trimEnd()];
  return [
    `  ${output.paint('refuse', 'red')}  ${name}  ${inline(code)}: ${inline(reason)}`,
    ...(told(details) === '' ? [] : [`          ${' '.repeat(widest)}  ${told(details)}`]),
  ];
}

function told(details: Document = {}): string {
  return Object.entries(details)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${printable(name)}=${inline(value)}`)
    .join(' ');
}

function outcome(explanation: Document, output: Pick<Output, 'paint'>): string {
  const { outcome: verdict, status, upstreamUrl } = explanation;
  if (verdict !== 'forward') return `${output.paint('refused', 'red')} with ${inline(status)}`;
  const { answer } = (explanation.cache ?? {}) as Document;
  return answer === 'hit' || answer === 'stale'
    ? `${output.paint('answered', 'green')} from the response cache`
    : `${output.paint('forwarded', 'green')} to ${inline(upstreamUrl)}`;
}
