import distribus = require('./index.js');

export type Host = distribus.Host;
export type Peer<In = any, Out = any> = distribus.Peer<In, Out>;
export type HostPromise<T> = distribus.HostPromise<T>;
export type Promise<T> = distribus.Promise<T>;
export type HostOptions = distribus.HostOptions;
export type ListenOptions = distribus.ListenOptions;
export type DistribusError = distribus.DistribusError;
export type ErrorCode = distribus.ErrorCode;
export type Connection = distribus.Connection;
export type Member = distribus.Member;
export type HostEvents = distribus.HostEvents;
export type Listener<M = any> = distribus.Listener<M>;
export type Id = distribus.Id;

export const Host: typeof distribus.Host;
export const Peer: typeof distribus.Peer;
export const Promise: typeof distribus.Promise;
export default distribus;
