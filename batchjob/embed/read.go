package embed

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/textlines"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

// item is one line: a text, or a pair of texts.
type item struct {
	id    string // its line's number where it has none
	input tokenizer.Input
}

// next returns up to n items; none at the end.
func next(lines *textlines.Reader, n int) ([]item, error) {
	var items []item
	for len(items) < n {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(l.A) == "" || l.Pair && strings.TrimSpace(l.B) == "" {
			return nil, &textlines.Error{Line: l.Number, Err: errors.New("has a text that is empty")}
		}
		if l.ID == "" {
			l.ID = strconv.Itoa(l.Number)
		}
		items = append(items, item{l.ID, tokenizer.Input{A: l.A, B: l.B}})
	}
	return items, nil
}
