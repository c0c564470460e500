package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
)

// maxLine bounds a line of posts in bytes.
const maxLine = 16 << 20

// post is a post that nobody labelled.
type post struct{ id, text string }

// readPosts reads JSON Lines with the fields id and text. Other fields are ignored. An error
// names the line and never holds a post's text.
func readPosts(in io.Reader) ([]post, error) {
	var posts []post
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	first := map[string]int{}
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var fields struct {
			ID   json.RawMessage `json:"id"`
			Text *string         `json:"text"`
		}
		if err := json.Unmarshal(line, &fields); err != nil {
			return nil, fmt.Errorf("line %d is no JSON object with the texts id and text", n)
		}
		id, err := idOf(fields.ID)
		switch {
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", n, err)
		case fields.Text == nil || strings.TrimSpace(*fields.Text) == "":
			return nil, fmt.Errorf("line %d: text is missing or empty; every post needs one", n)
		case !utf8.Valid(line):
			return nil, fmt.Errorf("line %d is not UTF-8", n)
		case first[id] > 0:
			return nil, fmt.Errorf("line %d: its id is that of line %d; every id must be unique", n, first[id])
		}
		first[id] = n
		posts = append(posts, post{id, *fields.Text})
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d is longer than %d bytes", n+1, maxLine)
	case err != nil:
		return nil, fmt.Errorf("read the posts: %w", err)
	case len(posts) == 0:
		return nil, errors.New("there is no post; every line must be an object with id and text")
	}
	return posts, nil
}

// idOf reads an id, which may be a text or a number.
func idOf(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		return text, nil
	}
	var number json.Number
	if len(raw) > 0 && raw[0] != '"' && json.Unmarshal(raw, &number) == nil && number != "" {
		return number.String(), nil
	}
	return "", errors.New("id is missing or empty; allowed: a text or a number")
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
