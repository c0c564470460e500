package cli

import (
	"fmt"
	"io"
	"time"
)

// A transfer shows how far bytes on their way are: drawn in place on a terminal, else a line
// every five seconds.
type transfer struct {
	w       io.Writer
	what    string
	now     func() time.Time
	inPlace bool
	began   time.Time
	last    time.Time
	first   int64 // bytes that were there at the first call
	drawn   bool
}

func newTransfer(w io.Writer, what string, now func() time.Time) *transfer {
	_, isTerminal := terminal(w)
	return &transfer{w: w, what: what, now: now, inPlace: isTerminal}
}

// show tells that done bytes of total are there.
func (t *transfer) show(done, total int64) {
	now := t.now()
	if t.began.IsZero() {
		t.began, t.last, t.first = now, now, done
	}
	pause := 5 * time.Second
	if t.inPlace {
		pause = 100 * time.Millisecond
	}
	if now.Sub(t.last) < pause {
		return
	}
	t.last = now
	rate := float64(done-t.first) / 1e6 / now.Sub(t.began).Seconds()
	line := fmt.Sprintf("%s: %.1f of %.1f MB, %.1f MB/s", t.what, float64(done)/1e6, float64(total)/1e6, max(rate, 0))
	if !t.inPlace {
		fmt.Fprintln(t.w, line)
		return
	}
	fmt.Fprintf(t.w, "\r%s\x1b[K", line)
	t.drawn = true
}

// end clears what was drawn. It may be called twice.
func (t *transfer) end() {
	if t.drawn {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.drawn = false
	}
}
