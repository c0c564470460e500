package textlines

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// all reads to the end or the first error.
func all(in string) (lines []Line, err error) {
	r := NewReader(strings.NewReader(in))
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		lines = append(lines, l)
	}
}

func TestNext(t *testing.T) {
	got, err := all("{\"text\": \"one\"}\n\n \t\r\n{\"id\": \"x\", \"a\": \"two\", \"b\": \"\", \"more\": [1]}\r\n" +
		`{"id": 3.50, "text": ""}` + "\n" + `{"id": null, "a": "last"}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{
		{Number: 1, A: "one", Text: true},
		{Number: 4, ID: "x", A: "two", Pair: true},
		{Number: 5, ID: "3.50", Text: true},
		{Number: 6, A: "last"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, empty := range []string{"", "\n", " \n\n"} {
		if lines, err := all(empty); err != nil || lines != nil {
			t.Errorf("%q: %v, %v", empty, lines, err)
		}
	}
}

func TestWrongLines(t *testing.T) {
	for line, want := range map[string]string{
		`{"text": secret}`:                  "line 3 is not JSON, at byte 10 of 16",
		`{"text": "secret`:                  "line 3 is not JSON, at byte 16 of 16",
		`["secret"]`:                        `line 3 is not an object with either "text", or "a" and perhaps "b"`,
		`{"post": "secret"}`:                "line 3 is not an object with",
		`{"text": null}`:                    "line 3 is not an object with",
		`{"text": "secret", "a": "secret"}`: "line 3 is not an object with",
		`{"b": "secret"}`:                   "line 3 is not an object with",
		`{"text": 5}`:                       `line 3 has a "text" that is not a string`,
		`{"a": ["secret"]}`:                 `line 3 has a "a" that is not a string`,
		`{"a": "secret", "b": {}}`:          `line 3 has a "b" that is not a string`,
		`{"id": [], "text": "secret"}`:      `line 3 has an "id" that is neither a string nor a number`,
		"{\"text\": \"secret\xff\"}":        "line 3 is not UTF-8",
		strings.Repeat("x", maxLine):        "line 3 has more than the 67108864 bytes that are allowed",
	} {
		lines, err := all("{\"text\": \"a\"}\n\n" + line + "\n{\"text\": \"b\"}\n")
		if !errors.Is(err, ErrLine) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.40s: error %v, want %q", line, err, want)
		}
		var e *Error
		if !errors.As(err, &e) || e.Line != 3 || len(lines) != 1 {
			t.Errorf("%.40s: %d lines before line 3", line, len(lines))
		}
	}
}

type broken struct{ error }

func (b broken) Read([]byte) (int, error) { return 0, b.error }

func TestReadingFails(t *testing.T) {
	gone := errors.New("gone")
	r := NewReader(io.MultiReader(strings.NewReader("{\"text\": \"a\"}\n"), broken{gone}))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, gone) || errors.Is(err, ErrLine) || !strings.HasPrefix(err.Error(), "read line 2: ") {
		t.Errorf("error %v", err)
	}
}

func TestReady(t *testing.T) {
	out, in := io.Pipe()
	defer in.Close()
	go func() { _, _ = io.WriteString(in, "{\"text\": \"a\"}\n{\"text\": \"b\"}\n") }()
	r := NewReader(out)
	for _, want := range []bool{true, false} {
		if _, err := r.Next(); err != nil || r.Ready() != want {
			t.Errorf("ready %v, %v", r.Ready(), err)
		}
	}
}

// Whatever a line is, it is read or refused; what is read is text.
func FuzzNext(f *testing.F) {
	for _, s := range []string{`{"text": "a"}`, `{"id": 1e9, "a": "\ud800", "b": ""}`, "{\"text\": \"\xff\"}", "[", "\n\n{}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		lines, err := all(in)
		if err != nil && !errors.Is(err, ErrLine) {
			t.Fatal(err)
		}
		for i, l := range lines {
			if l.Number < 1 || i > 0 && l.Number <= lines[i-1].Number || !utf8.ValidString(l.A+l.B+l.ID) || l.Pair && l.Text || !l.Pair && l.B != "" {
				t.Fatalf("line %+v", l)
			}
		}
	})
}
