/**
 * revisions: what the configuration was before and after each change, numbered, in a chain of its own.
 * Owns the recording of changes on their way into the store, how two states differ, and what of that may be shown.
 * Not here: going back to a state. That is the control plane's, which knows the rules of each kind of object.
 */
export { CONFIG_KINDS, type ConfigKind } from './config-object';
export { ChangeRecorder, recordedStore, type Change } from './recorded-store';
export { Revisions, sameTerms, type RevisedObject, type Revision, type RevisionMeta } from './revisions';
export { shownChange, shownChangeInFull, type ShownChange } from './shown-change';
