package study

import (
	"encoding/base64"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawNumber draws what columns hold: small whole numbers, long fractions, extremes, none.
func drawNumber(t *rapid.T) float64 {
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return float64(rapid.Int64Range(-maxWhole, maxWhole).Draw(t, "whole"))
	case 1:
		return rapid.Float64().Draw(t, "any")
	case 2:
		return rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, -1, math.MaxFloat64, math.SmallestNonzeroFloat64,
			999999999999999, 1e15, -1e15, 1e16, maxWhole, 0.1}).Draw(t, "special")
	}
	return math.NaN()
}

func TestColumnsRoundTrip(t *testing.T) {
	sameBits := func(x, y float64) bool {
		return math.Float64bits(x) == math.Float64bits(y)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := make(columns)
		want := map[string][]float64{}
		rows := rapid.IntRange(0, 20).Draw(t, "rows")
		for _, name := range []string{"a", "b.1", "c"} {
			numbers := make([]float64, rows)
			for i := range numbers {
				numbers[i] = drawNumber(t)
			}
			missing := rapid.SampledFrom([]float64{0, math.NaN()}).Draw(t, "missing")
			if rapid.Bool().Draw(t, "all missing") {
				numbers = slices.Repeat([]float64{missing}, rows)
			}
			want[name] = append(numbers, missing)
			c.put(name, missing, numbers)
		}
		data := c.appendTo(nil)
		got := new(columnLines)
		if len(data) > 0 {
			var err error
			if got, err = splitColumns(data[1:], len(c)); err != nil {
				t.Fatalf("%v\n%q", err, data)
			}
		}
		for name, numbers := range want {
			back, err := got.take(name, numbers[rows], rows)
			if err != nil || !slices.EqualFunc(numbers[:rows], back, sameBits) {
				t.Fatalf("column %s: %v, error %v, want %v", name, back, err, numbers[:rows])
			}
		}
		if len(got.lines) > 0 {
			t.Fatalf("more columns were read: %v", slices.Collect(maps.Keys(got.lines)))
		}
	})
}

// Full digits are packed, the rest stays readable. 2/3 is 3FE5 5555 5555 5555 in bits, 1/3 is
// 3FD5 5555 5555 5555.
func TestColumnsAsText(t *testing.T) {
	c := columns{"whole": {0, -3, 1746100805594, math.NaN()}, "long": {2.0 / 3, 1.0 / 3}, "short": {0.05, 1e-7, math.Copysign(0, -1)}}
	want := "\n" + `["long","packed",2]` + "\n" +
		`["short",0.05,1e-07,-0]` + "\n" + `["whole",0,-3,1746100805594,null]` + "\n" +
		"\x3f\x3f\xe5\xd5" + strings.Repeat("\x55", 12)
	if diff := cmp.Diff(want, string(c.appendTo(nil))); diff != "" {
		t.Error(diff)
	}
}

// Up to version 3 the same bytes stood in the line, as base64.
func TestPackedTextIsRead(t *testing.T) {
	bytes := append([]byte{0x3f, 0x3f, 0xe5, 0xd5}, slices.Repeat([]byte{0x55}, 12)...)
	columns, err := splitColumns([]byte(`["long","`+base64.StdEncoding.EncodeToString(bytes)+`"]`), 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := columns.all("long"); err != nil || !slices.Equal(got, []float64{2.0 / 3, 1.0 / 3}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestColumnErrors(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{``, "it has 0 columns, not 1: it is cut off"},
		{"\n", "cut off or damaged"},
		{`["a",1`, "cut off or damaged"},
		{`"a",1]`, "cut off or damaged"},
		{`["a,1]`, "cut off or damaged"},
		{`["a"1]`, "column a, row 0"},
		{`["a",1,]`, `column a, row 1: "," is no number`},
		{`["a",,1]`, "column a, row 0"},
		{`["a",1,NaN]`, "column a, row 1"},
		{`["a",-Inf]`, "is no number"},
		{`["a",1e999]`, "is no number"},
		{`["a","AAAAAAAAAAA="]`, ""},
		{`["a","AAAAAAAAAA=="]`, "column a is packed and damaged"},
		{`["a","AAAAAAAAAAA]`, "column a is packed and damaged"},
		{`["a","f/AAAAAAAAA="]`, "column a is packed and damaged"}, // +Inf
		{`["a","*"]`, "column a is packed and damaged"},
		{`["a","packed",0]`, ""},
		{`["a","packed",1]` + "\n\x3f\xf0\x00\x00\x00\x00\x00\x00", ""},
		{`["a","packed",1]` + "\n\x3f\xf0\x00\x00\x00\x00\x00", "column a is packed and cut off or damaged"},
		{`["a","packed",1]` + "\n\x3f\xf0\x00\x00\x00\x00\x00\x00\x00", "1 bytes follow its 1 columns"},
		{`["a","packed",1]`, "column a is packed and cut off or damaged"},
		{`["a","packed",-1]`, "column a is packed and cut off or damaged"},
		{`["a","packed",99999999999]` + "\n\x3f", "column a is packed and cut off or damaged"},
		{`["a","packed"]`, "column a is packed and damaged"},
		{`["a","packed",1]` + "\n\x7f\xf0\x00\x00\x00\x00\x00\x00", "column a is packed and damaged"}, // +Inf
		{`["a",1]` + "\n" + `["b",1]`, "7 bytes follow its 1 columns"},
	} {
		columns, err := splitColumns([]byte(c.line), 1)
		if err == nil {
			_, err = columns.all("a")
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.line, err, c.want)
		}
	}
}
