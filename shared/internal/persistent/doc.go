// Package persistent holds collections whose values never change: an operation returns
// another collection that shares all but a short path with the one before. A copy costs a
// word or two, readers in any number of goroutines need no lock, and what a command tried
// is undone by forgetting it. The zero value of [Vector] is empty and ready; a [Set] comes
// from [NewSet].
package persistent
