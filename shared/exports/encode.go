package exports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Encode returns an export as YAML and as JSON. The YAML is made from the JSON, token for
// token, so the two cannot differ. It reads the same by the rules of YAML 1.1 and 1.2:
// every float has a point, every string that some reader could take for something else
// is quoted.
func Encode(export any) (yaml, jsonText []byte, err error) {
	jsonText, err = json.MarshalIndent(export, "", "  ")
	if err != nil {
		return nil, nil, fmt.Errorf("write export: %w", err)
	}
	e := encoder{in: json.NewDecoder(bytes.NewReader(jsonText))}
	e.in.UseNumber()
	if err := e.value(0, false); err != nil {
		return nil, nil, fmt.Errorf("write export as YAML: %w", err)
	}
	return e.out.Bytes(), append(jsonText, '\n'), nil
}

type encoder struct {
	in  *json.Decoder
	out bytes.Buffer
}

// value writes the next value and the end of its line. inline says that a key or a dash
// stands before it on the line.
func (e *encoder) value(depth int, inline bool) error {
	token, err := e.in.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return e.collection(t, depth, inline)
	case string:
		e.line(inline, scalar(t))
	case json.Number:
		e.line(inline, number(t.String()))
	case bool:
		e.line(inline, fmt.Sprint(t))
	case nil:
		e.line(inline, "null")
	}
	return nil
}

func (e *encoder) line(inline bool, text string) {
	if inline {
		e.out.WriteByte(' ')
	}
	e.out.WriteString(text + "\n")
}

// collection writes an object as a block mapping, an array as a block sequence. The first
// entry of a mapping stands on the line of the dash before it.
func (e *encoder) collection(open json.Delim, depth int, inline bool) error {
	empty := map[json.Delim]string{'{': "{}", '[': "[]"}[open]
	first := true
	for e.in.More() {
		afterDash := first && open == '{' && bytes.HasSuffix(e.out.Bytes(), []byte("-"))
		switch {
		case afterDash:
			e.out.WriteByte(' ')
		case first && inline:
			e.out.WriteByte('\n')
			fallthrough
		default:
			e.out.WriteString(strings.Repeat("  ", depth))
		}
		if open == '{' {
			key, err := e.in.Token()
			if err != nil {
				return err
			}
			e.out.WriteString(scalar(key.(string)) + ":") // an object's key is always a string
		} else {
			e.out.WriteByte('-')
		}
		first = false
		if err := e.value(depth+1, true); err != nil {
			return err
		}
	}
	if first {
		e.line(inline, empty)
	}
	_, err := e.in.Token() // the closing one
	return err
}

var (
	plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./=-]*$`)
	// words are what YAML 1.1 reads as a bool or null.
	words = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
)

// scalar returns a string as YAML: as it is where nobody can mistake it, else in the
// double quotes of JSON, which YAML shares.
func scalar(s string) string {
	if plain.MatchString(s) && !slices.Contains(words, strings.ToLower(s)) {
		return s
	}
	quoted, err := json.Marshal(s)
	if err != nil { // a string always encodes
		return strconv.QuoteToASCII(s)
	}
	var out strings.Builder
	for _, r := range string(quoted) {
		if r >= 0x7f && r <= 0x9f || r == 0xfeff || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&out, `\u%04x`, r) // allowed as it is in JSON, not in YAML
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// number gives a float the point without which some reader takes a string: one with an
// exponent (YAML 1.1), or one whose digits are too many for an integer.
func number(s string) string {
	mantissa, exponent, ok := strings.Cut(s, "e")
	switch {
	case strings.Contains(mantissa, "."):
		return s
	case ok:
		return mantissa + ".0e" + exponent
	}
	if _, err := strconv.ParseInt(s, 10, 64); err != nil {
		return s + ".0"
	}
	return s
}
