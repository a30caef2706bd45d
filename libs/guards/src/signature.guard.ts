import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { InboundSignatures, inboundPolicy } from './inbound-signatures';
import { requestOf } from './request-context';

/** Whether the request is as somebody has signed it, where its place asks for that. */
@Injectable()
export class SignatureGuard implements CanActivate {
  constructor(private readonly signatures: InboundSignatures) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const request = requestOf(execution);
    const policy = inboundPolicy(request.context);
    if (policy === undefined) return true;
    request.context.enter('signature');
    return this.signatures.judge(request, execution.getArgByIndex<ServerResponse>(1), policy);
  }
}
