package tokenizer

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTruncated(t *testing.T) {
	tests := []struct {
		n1, n2   int
		pair     bool
		room     int
		strategy Strategy
		want1    int
		want2    int
		err      error
	}{
		// The reference's own table for longest_first at 7: lengths 0, 2, 4, 8.
		{0, 8, true, 7, LongestFirst, 0, 7, nil},
		{2, 2, true, 7, LongestFirst, 2, 2, nil},
		{2, 8, true, 7, LongestFirst, 2, 5, nil},
		{4, 4, true, 7, LongestFirst, 3, 4, nil},
		{4, 8, true, 7, LongestFirst, 3, 4, nil},
		{8, 0, true, 7, LongestFirst, 7, 0, nil},
		{8, 2, true, 7, LongestFirst, 5, 2, nil},
		{8, 4, true, 7, LongestFirst, 4, 3, nil},
		{8, 8, true, 7, LongestFirst, 3, 4, nil},
		{4, 4, true, 0, LongestFirst, 0, 0, nil},
		{9, 0, false, 7, LongestFirst, 7, 0, nil},
		{9, 0, false, 7, OnlyFirst, 7, 0, nil},
		{9, 4, true, 7, OnlyFirst, 3, 4, nil},
		{5, 4, true, 4, OnlyFirst, 0, 0, ErrTooShort}, // all five would have to go
		{4, 9, true, 7, OnlySecond, 4, 3, nil},
		{8, 3, true, 7, OnlySecond, 0, 0, ErrTooShort},
		{9, 0, false, 7, OnlySecond, 0, 0, ErrNoSecond},
		{5, 0, false, 7, OnlySecond, 5, 0, nil}, // nothing to do
	}
	for _, c := range tests {
		got1, got2, err := truncated(c.n1, c.n2, c.pair, c.room, c.strategy)
		if got1 != c.want1 || got2 != c.want2 || !errors.Is(err, c.err) {
			t.Errorf("%d and %d into %d by %v: %d, %d, %v; want %d, %d, %v",
				c.n1, c.n2, c.room, c.strategy, got1, got2, err, c.want1, c.want2, c.err)
		}
	}
}

func TestTruncatedFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n1, n2 := rapid.IntRange(0, 30).Draw(t, "n1"), rapid.IntRange(0, 30).Draw(t, "n2")
		room := rapid.IntRange(1, 40).Draw(t, "room")
		s := Strategy(rapid.IntRange(0, 2).Draw(t, "strategy"))
		got1, got2, err := truncated(n1, n2, true, room, s)
		if err != nil {
			if s == LongestFirst || n1+n2 <= room {
				t.Fatalf("%v", err)
			}
			return
		}
		if got1 > n1 || got2 > n2 || got1 < 0 || got2 < 0 {
			t.Fatalf("%d of %d and %d of %d tokens stay", got1, n1, got2, n2)
		}
		if got1+got2 != min(room, n1+n2) {
			t.Fatalf("%d and %d tokens do not fill %d of %d", got1, got2, room, n1+n2)
		}
	})
}

func TestStrategyNames(t *testing.T) {
	for _, s := range []Strategy{LongestFirst, OnlyFirst, OnlySecond} {
		if got, err := ParseStrategy(s.String()); err != nil || got != s {
			t.Errorf("%v reads as %v, %v", s, got, err)
		}
	}
	if _, err := ParseStrategy("longest"); err == nil {
		t.Error("longest is read")
	}
	if got := Strategy(9).String(); got != "strategy 9" {
		t.Errorf("an unknown strategy is %q", got)
	}
}

// What transformers 4.56.2 gives of the golden BERT's tokenizer with truncation_side left.
func TestKeepEnd(t *testing.T) {
	golden := filepath.Join("..", "..", "tests", "golden", "tokenizers", "bert")
	data, err := os.ReadFile(filepath.Join(golden, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(data, &whole); err != nil {
		t.Fatal(err)
	}
	whole["truncation"] = map[string]string{"direction": "Left"}
	left := string(marshal(t, whole))
	for name, c := range map[string]struct {
		files map[string]string
		keeps bool
	}{
		"by tokenizer_config.json": {map[string]string{"tokenizer.json": string(data), "tokenizer_config.json": `{"truncation_side": "left"}`}, true},
		"by tokenizer.json":        {map[string]string{"tokenizer.json": left}, true},
		"overruled":                {map[string]string{"tokenizer.json": left, "tokenizer_config.json": `{"truncation_side": "right"}`}, false},
	} {
		tok := load(t, folder(t, c.files))
		if tok.keepEnd != c.keeps {
			t.Errorf("%s: keeps the end: %v", name, tok.keepEnd)
		}
		if !c.keeps {
			continue
		}
		for _, p := range []struct {
			in   Input
			most int
			ids  []int32
			at   [][2]int
		}{
			{Input{A: "I feel sad every day"}, 5, []int32{7, 248, 32, 132, 8}, [][2]int{{0, 0}, {11, 16}, {17, 18}, {18, 20}, {0, 0}}},
			{Input{A: "I feel sad every day", B: "the cat is asleep now"}, 9, []int32{7, 248, 32, 132, 8, 562, 42, 249, 8},
				[][2]int{{0, 0}, {11, 16}, {17, 18}, {18, 20}, {0, 0}, {13, 17}, {18, 19}, {19, 21}, {0, 0}}},
		} {
			got, err := tok.EncodeInput(p.in, Options{MaxLength: p.most})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.IDs, p.ids) || !slices.Equal(got.Offsets, p.at) {
				t.Errorf("%s: %d tokens of %+v are %v at %v", name, p.most, p.in, got.IDs, got.Offsets)
			}
		}
	}
}
