/**
 * grpc: what of gRPC over HTTP/2 a proxy has to know: which requests are calls, their deadlines, and how statuses of HTTP
 * and of gRPC stand for each other. Not here: messages, which pass unread.
 */
export { RpcCall, isGrpc, timeoutOf } from './rpc-call';
export { GRPC_STATUS_FIELD, grpcStatusOf, httpStatusOf, messageOf, statusText } from './status';
