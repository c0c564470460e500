package cli

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
)

// terminal returns the terminal behind w, if there is one.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// screen draws progress in place on a terminal.
func screen(f *os.File) func(progress.Status) {
	return progress.Screen(f, func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return width
	})
}

// shows returns what shows the progress of one of so many studies: a picture that is drawn
// in place needs a terminal for itself.
func shows(w io.Writer, studies int) func() func(progress.Status) {
	return func() func(progress.Status) {
		if f, ok := terminal(w); ok && studies == 1 {
			return screen(f)
		}
		return progress.Lines(w, 5*time.Second)
	}
}
