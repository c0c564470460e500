package mistake

import (
	"errors"
	"io/fs"
	"testing"
)

func TestMistake(t *testing.T) {
	for name, err := range map[string]error{"Errorf": Errorf("read x: %w", fs.ErrNotExist), "Wrap": Wrap(fs.ErrNotExist)} {
		if !errors.Is(err, Err) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v is not marked, or has lost its cause", name, err)
		}
	}
	if got := Wrap(fs.ErrNotExist).Error(); got != fs.ErrNotExist.Error() {
		t.Errorf("the words are %q", got)
	}
}
