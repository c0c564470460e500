package simulate

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAgendaKeepsOrder puts entries in at random and takes them out: earliest first, and at
// one moment in the order in which they came.
func TestAgendaKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a agenda
		var want []entry
		for i, at := range rapid.SliceOf(rapid.IntRange(0, 9)).Draw(t, "times") {
			if rapid.Bool().Draw(t, "pop") && a.len() > 0 {
				slices.SortStableFunc(want, func(a, b entry) int { return int(a.at - b.at) })
				if got := a.pop(); got.at != want[0].at || got.slot != want[0].slot {
					t.Fatalf("got %+v, want %+v", got, want[0])
				}
				want = want[1:]
			}
			if rapid.Bool().Draw(t, "trains") {
				a.train(time.Duration(at), int32(i))
			} else {
				a.start(time.Duration(at), int32(i))
			}
			want = append(want, entry{at: time.Duration(at), slot: int32(i)})
		}
		if a.len() != len(want) {
			t.Fatalf("%d entries, want %d", a.len(), len(want))
		}
	})
}

// TestWaitingSkipsWhatIsInVain works out when slots that ask every 10 seconds from 3 on next
// have a reason to.
func TestWaitingSkipsWhatIsInVain(t *testing.T) {
	const second, never = time.Second, time.Duration(1 << 62)
	for _, c := range []struct{ working, doom, want time.Duration }{
		{0, never, 13 * second},           // nobody works: as told
		{5 * second, never, 13 * second},  // heard of before the next ask
		{13 * second, never, 13 * second}, // at it
		{14 * second, never, 23 * second}, // just after it
		{103 * second, never, 103 * second},
		{104 * second, never, 113 * second},
		{104 * second, 50 * second, 50 * second},
	} {
		var a agenda
		if c.working > 0 {
			a.train(c.working, 1)
		}
		a.wait(3*second, 10*second, c.doom, 2)
		if got := a.others[0].at; got != c.want {
			t.Errorf("with work until %v and doom at %v it asks at %v, want %v", c.working, c.doom, got, c.want)
		}
	}
}
