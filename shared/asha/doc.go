// Package asha decides how far trials are trained: at which epochs a trial's result is
// looked at, its rungs, and which trials go on from there.
//
// By default it is the promotion type of Li et al., "A system for massively parallel
// hyperparameter tuning" (2020), algorithm 2: a trial pauses at each rung and goes on only
// if it is among the best of all that reported there so far; none is stopped for having
// been early. With two objectives "best" is by non-dominated rank and then by ε-net
// (MO-ASHA: Schmucker et al., "Multi-objective asynchronous successive halving", 2021).
// Other kinds, which decide once and for all when a trial reports, are there to compare.
package asha
