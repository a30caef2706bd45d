import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { TenantDirectory, type Caller } from '#libs/tenants';
import { identifyCaller, identifyVisitor } from './identify-caller';
import { requestOf, type RequestContext } from './request-context';

/** Who is calling: everything behind it is about the caller. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly directory: TenantDirectory) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.enter('api_key');
    const { published } = context;
    const caller = published
      ? identifyVisitor(context, published, this.directory)
      : identifyCaller(context, this.directory);
    // Nearly always at once: a promise per guard and request would cost as much as the guard.
    if (caller instanceof Promise) return caller.then((found) => pass(context, found));
    return pass(context, caller);
  }
}

function pass(context: RequestContext, caller: Caller): true {
  context.caller = caller;
  context.tenant = caller.tenant;
  return true;
}
