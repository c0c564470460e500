package dataset

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// An InputError says what is wrong with one of the corpus's files. It never holds a post's
// text: a value is repeated only when it is short and looks like an id or a number.
type InputError struct {
	File    string // path of the file, or of the folder when a file is missing
	Row     int    // data row, counted from 1 without the header; 0: the whole file
	Line    int    // line of a text file, counted from 1; 0: not known or Parquet
	Column  string // empty: not one column's fault
	Problem string // what is wrong and what is allowed
}

// Error returns one sentence, for example
//
//	data/groundtruth.csv row 3 (line 4), column label: "2" is not allowed; it must be 0 or 1
func (e *InputError) Error() string {
	s := e.File
	if e.Row > 0 {
		s += " " + place{e.Row, e.Line}.String()
	}
	if e.Column != "" {
		s += ", column " + e.Column
	}
	return s + ": " + e.Problem
}

// A place is a row of a table: its number without the header, and the line where it begins.
type place struct{ row, line int }

func (p place) String() string {
	if p.line == 0 || p.row == 0 {
		return fmt.Sprintf("row %d", p.row)
	}
	return fmt.Sprintf("row %d (line %d)", p.row, p.line)
}

// shown quotes a value for an error message when it cannot be part of a post: at most 40
// characters of letters, digits and -_./:#@, without a space. Anything else is described by
// its length, because a shifted column would otherwise put a post into a log.
func shown(v string) string {
	if v == "" {
		return "an empty value"
	}
	if len(v) <= 40 {
		plain := true
		for _, c := range []byte(v) {
			plain = plain && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' ||
				c == '_' || c == '.' || c == '/' || c == ':' || c == '#' || c == '@')
		}
		if plain {
			return strconv.Quote(v)
		}
	}
	return fmt.Sprintf("a value of %d characters", utf8.RuneCountInString(v))
}
