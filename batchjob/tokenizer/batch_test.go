package tokenizer

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/tests/goldentest"
)

func TestEncodeBatchEqualsEncodeInput(t *testing.T) {
	var toks []*Tokenizer
	for _, dir := range goldentest.Cases(t, "tokenizer.json", "tokenizers") {
		toks = append(toks, load(t, dir))
	}
	rapid.Check(t, func(t *rapid.T) {
		tok := rapid.SampledFrom(toks).Draw(t, "tokenizer")
		texts := rapid.SliceOfN(textGenerator(), 1, 20).Draw(t, "texts")
		text := rapid.SampledFrom(texts)
		inputs := make([]Input, rapid.IntRange(0, 300).Draw(t, "inputs"))
		for i := range inputs {
			inputs[i] = Input{text.Draw(t, "a"), text.Draw(t, "b")}
		}
		o := Options{
			MaxLength:  rapid.SampledFrom([]int{0, 5, 12}).Draw(t, "max"),
			Truncation: LongestFirst, IDsOnly: rapid.Bool().Draw(t, "ids"),
		}
		o.Pad = o.MaxLength > 0 && rapid.Bool().Draw(t, "pad")
		got, err := tok.EncodeBatch(inputs, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, in := range inputs {
			want, err := tok.EncodeInput(in, o)
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(want, got[i]); d != "" {
				t.Fatalf("input %d (-one +batch):\n%s", i, d)
			}
		}
	})
}

func TestEncodeBatchNamesTheFirstFailure(t *testing.T) {
	tok := small(t, "a")
	inputs := make([]Input, 500)
	for i := range inputs {
		inputs[i] = Input{"a", "a"}
	}
	for _, i := range []int{499, 200, 130, 131} {
		inputs[i] = Input{"a", strings.Repeat("a secret ", 9)}
	}
	_, err := tok.EncodeBatch(inputs, Options{MaxLength: 10, Truncation: OnlyFirst})
	if !errors.Is(err, ErrTooShort) || !strings.HasPrefix(err.Error(), "input 130: encode to 10 tokens by only_first") {
		t.Errorf("error %v", err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error holds text: %v", err)
	}
}

func TestOptionErrors(t *testing.T) {
	tok, unpadded := small(t, "a"), load(t, folder(t, map[string]string{"tokenizer.json": minimalJSON}))
	for want, c := range map[string]struct {
		tok *Tokenizer
		o   Options
	}{
		"maximum length -1 is below 0":                            {tok, Options{MaxLength: -1}},
		"strategy 7 is not known":                                 {tok, Options{Truncation: 7}},
		"padding needs a maximum length":                          {tok, Options{Pad: true}},
		"this tokenizer has no padding token":                     {unpadded, Options{Pad: true, MaxLength: 3}},
		"maximum length 2 leaves no room beside 2 special tokens": {tok, Options{MaxLength: 2}},
	} {
		if _, err := c.tok.EncodeInput(Input{A: "a"}, c.o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("one: error %v, want %q", err, want)
		}
		if _, err := c.tok.EncodeBatch([]Input{{A: "a"}}, c.o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("batch: error %v, want %q", err, want)
		}
	}
}
