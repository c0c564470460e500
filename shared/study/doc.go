// Package study is the state machine of a study: it decides what each slot trains next
// and what becomes of every trial through the stages A (explore), B (refine) and C
// (confirm). It is pure: time arrives as an argument, random numbers come from the
// study's seed and a trial's number, and nothing is read or written.
//
// A command ([State.Ask], [State.Tell], [State.Check], …) looks at the state and returns
// its reply together with the events that make it so; [State.Apply] folds events into
// the state and is the only thing that changes it. A caller appends a command's events to
// its log, all or none of them and only if nothing came between, and applies them when
// that succeeded. Folding the same events gives the same state, and so the same decisions.
//
// A trial moves so:
//
//	QUEUED ──ask──▶ RUNNING ──tell──▶ PAUSED ──promoted──▶ QUEUED or, on the spot, RUNNING
//	   ▲               │  └───tell at the last rung, or every seed stopped early──▶ COMPLETED
//	   │               ├──told oom, nan or data──▶ FAILED
//	   └──requeued── STALE (lease ran out, slot gone, crash, interruption) ──too often──▶ FAILED
//
// Every lease of a trial has the next attempt number, from 0; an attempt that was
// promoted on the spot goes on under its number. What comes from an attempt that does not
// hold the lease changes nothing.
//
// A [State] must not be used by several goroutines at once while one of them applies
// events. What its views return shares memory with it, is never changed by later events,
// and must not be changed by the caller.
package study
