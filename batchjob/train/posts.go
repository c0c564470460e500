package train

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/textlines"
)

// post is a post that nobody labelled.
type post struct{ id, text string }

// readPosts reads JSON Lines with the fields id and text. An error names the line and never holds
// a post's text.
func readPosts(in io.Reader) ([]post, error) {
	var posts []post
	first := map[string]int{}
	for lines := textlines.NewReader(in); ; {
		l, err := lines.Next()
		wrong := func(format string, args ...any) error {
			return &textlines.Error{Line: l.Number, Err: fmt.Errorf(format, args...)}
		}
		switch {
		case errors.Is(err, io.EOF) && len(posts) == 0:
			return nil, errors.New("there is no post; every line must be an object with id and text")
		case errors.Is(err, io.EOF):
			return posts, nil
		case err != nil:
			return nil, err
		case l.ID == "":
			return nil, wrong("has no id, or an empty one; allowed: a text or a number")
		case !l.Text || strings.TrimSpace(l.A) == "":
			return nil, wrong("has no text, or an empty one; every post needs one")
		case first[l.ID] > 0:
			return nil, wrong("has the id of line %d; every id must be unique", first[l.ID])
		}
		first[l.ID] = l.Number
		posts = append(posts, post{l.ID, l.A})
	}
}

// An Answer is what a study's models say about a post and a criterion, or about one of the
// post's sentences: a line of what [Predict] writes.
type Answer struct {
	ID          string  `json:"id"`
	Task        string  `json:"task"` // criteria or evidence
	CriterionID string  `json:"criterion_id"`
	Sentence    *int    `json:"sentence,omitempty"` // counted from 0
	Start       *int    `json:"start,omitempty"`    // of the sentence in the text, in code points
	End         *int    `json:"end,omitempty"`      // exclusive
	Probability float64 `json:"probability"`
	Answer      bool    `json:"answer"` // by the configuration's null policy
}

// ask makes the questions about posts: the examples, and the answers to fill in.
func ask(posts []post, criteria []dataset.Criterion, tasks []string) ([]dataset.Example, []Answer) {
	var examples []dataset.Example
	var answers []Answer
	for _, task := range tasks {
		for _, p := range posts {
			spans := []dataset.Span{{End: len(p.text)}}
			if task == dataset.Evidence {
				spans = dataset.Sentences(p.text)
			}
			for n, span := range spans {
				for _, c := range criteria {
					a := Answer{ID: p.id, Task: task, CriterionID: c.ID}
					if task == dataset.Evidence {
						start := utf8.RuneCountInString(p.text[:span.Start])
						end := start + utf8.RuneCountInString(p.text[span.Start:span.End])
						a.Sentence, a.Start, a.End = &n, &start, &end
					}
					answers = append(answers, a)
					examples = append(examples, dataset.Example{
						Task: task, PostID: p.id, CriterionID: c.ID, A: c.Text, B: p.text[span.Start:span.End],
					})
				}
			}
		}
	}
	return examples, answers
}
