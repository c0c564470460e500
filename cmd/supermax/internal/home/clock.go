package home

import "time"

// steady returns the clock of one run: it begins at start and goes on by what has elapsed
// since, which is time that this machine was awake. The time of day jumps when a laptop
// wakes up, or when its clock is set, and leases that ran out by that would count against
// trials whose trainers are well.
func steady(start time.Time, elapsed func() time.Duration) func() time.Time {
	return func() time.Time { return start.Add(elapsed()) }
}

// awake returns [steady] by the system's monotonic clock, beginning now.
func awake() func() time.Time {
	start := time.Now()
	return steady(start, func() time.Duration { return time.Since(start) })
}
