import { Option, type Command } from 'commander';
import type { Document } from '../admin-api';
import { readDocument } from '../files';
import { pairs, rateLimit, several, whole } from '../flags';

/** The terms of a new API key. */
export interface KeyFlags {
  file?: string;
  name?: string;
  service?: string;
  mode?: string;
  label?: Record<string, string>;
  expiresAt?: string;
  rateLimit?: object;
  price?: string;
  route?: string[];
  method?: string[];
  ip?: string[];
  monthlyQuota?: number;
}

export function withKeyFlags(command: Command): Command {
  return command
    .option('--file <file>', 'JSON or YAML of the terms, - for stdin; flags say more than it')
    .option('--name <name>', 'what it is for')
    .option(
      '--service <id>',
      'the one service that it opens; absent: all of them and the routes of the tenant',
    )
    .addOption(new Option('--mode <mode>', 'part of the key').choices(['live', 'test']))
    .option('--label <name=value>', 'a label; may be repeated', pairs)
    .option('--expires-at <time>', 'ISO 8601; from then on it is refused')
    .option('--rate-limit <requests/seconds>', 'such as 100/60, beside that of the tenant', rateLimit)
    .option('--price <amount>', 'price of a request, such as 0.001')
    .option('--route <path>', 'a path that it may be used for; may be repeated', several)
    .option('--method <method>', 'a method that it may be used for; may be repeated', several)
    .option('--ip <address>', 'an address or CIDR block that may use it; may be repeated', several)
    .option('--monthly-quota <n>', 'requests per calendar month', whole(1));
}

/** The body that asks for the key: the file, with what the flags say. */
export async function termsOf(flags: KeyFlags): Promise<Document> {
  const file = flags.file === undefined ? {} : await readDocument(flags.file);
  const said: Document = {
    name: flags.name,
    serviceId: flags.service,
    mode: flags.mode,
    labels: flags.label,
    expiresAt: flags.expiresAt,
    rateLimit: flags.rateLimit,
    pricePerRequest: flags.price,
    allowedRoutes: flags.route,
    allowedMethods: flags.method?.map((method) => method.toUpperCase()),
    allowedIps: flags.ip,
    monthlyQuota: flags.monthlyQuota,
  };
  return { ...file, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) };
}
