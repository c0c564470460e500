package space

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var exact = cmp.AllowUnexported(Value{})

// A narrowed space is valid, has the same parameters, and every value of it is one of the
// space that it came from.
func TestNarrowIsASubset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpace(t)
		c := Constraints{}
		for _, p := range s.Params {
			if rapid.Bool().Draw(t, "constrain") {
				c[p.Name] = drawConstraint(t, p)
			}
		}
		n, err := s.Narrow(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Validate(); err != nil {
			t.Fatalf("narrowed: %v", err)
		}
		for i, p := range n.Params {
			base := s.Params[i]
			if p.Name != base.Name || p.Step != base.Step || p.Log != base.Log {
				t.Fatalf("narrowing changed more than values: %+v to %+v", base, p)
			}
			if v := drawValue(t, p, "value"); !base.Contains(v) {
				t.Fatalf("%s: %v is not in %+v", p.Name, v, base)
			}
			if p.Count() > base.Count() && base.Count() > 0 {
				t.Fatalf("%s: %d values of %d", p.Name, p.Count(), base.Count())
			}
		}
		a, err := n.Complete(drawActive(t, n, "of the narrowed "))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Complete(a); err != nil {
			t.Fatalf("what the narrowed space gives, the whole refuses: %v", err)
		}
	})
}

// Complete accepts every draw, is idempotent, names every parameter, and switches by the
// conditions.
func TestCompleteOfSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpace(t)
		full, err := s.Complete(drawActive(t, s, ""))
		if err != nil {
			t.Fatal(err)
		}
		if len(full) != len(s.Params) {
			t.Fatalf("%d values for %d parameters", len(full), len(s.Params))
		}
		for _, p := range s.Params {
			switch v := full[p.Name]; {
			case v.Type() != p.Type():
				t.Fatalf("%s is a %s, its type is %s", p.Name, v.Type(), p.Type())
			case s.Active(full, p.Name) && !p.Contains(v):
				t.Fatalf("%s = %v is not allowed", p.Name, v)
			case !s.Active(full, p.Name) && v != p.Otherwise:
				t.Fatalf("%s is off and %v, not %v", p.Name, v, p.Otherwise)
			case s.Active(full, p.Name) && !s.Reachable(p.Name):
				t.Fatalf("%s is active and not reachable", p.Name)
			}
		}
		again, err := s.Complete(full)
		if err != nil || !cmp.Equal(full, again, exact) {
			t.Fatalf("a second time: %v, %v", again, err)
		}
	})
}

func TestSpaceJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpace(t)
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got Space
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*s, got, exact); diff != "" {
			t.Fatal(diff)
		}
		full, err := s.Complete(drawActive(t, s, ""))
		if err != nil {
			t.Fatal(err)
		}
		data, err = json.Marshal(full)
		if err != nil {
			t.Fatal(err)
		}
		var a Assignment
		if err := json.Unmarshal(data, &a); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(full, a, exact); diff != "" {
			t.Fatal(diff)
		}
	})
}

// At and Index are each other's inverse; Nearest finds the value itself, and no other
// value lies nearer to a point than the one it gives.
func TestValuesOfAParameter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawParam(t, "p")
		for i := range p.Count() {
			v := p.At(i)
			if got := p.Index(v); got != i {
				t.Fatalf("Index(At(%d) = %v) = %d", i, v, got)
			}
			if f, ok := v.AsFloat(); ok && p.Kind != Categorical && p.Nearest(f) != v {
				t.Fatalf("Nearest(%v) = %v", v, p.Nearest(f))
			}
		}
		if p.Kind == Categorical {
			return
		}
		x := rapid.Float64Range(p.Low-200, p.High+200).Draw(t, "x")
		near := p.Nearest(x)
		if !p.Contains(near) {
			t.Fatalf("Nearest(%v) = %v is not allowed", x, near)
		}
		d := func(v Value) float64 { f, _ := v.AsFloat(); return max(f-x, x-f) }
		other := drawValue(t, p, "other")
		if d(other) < d(near)-1e-9 {
			t.Fatalf("%v is nearer to %v than %v", other, x, near)
		}
	})
}

// A grid's values are the floats that their decimal numbers are read as.
func TestGridValuesAreDecimals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decimals := rapid.IntRange(0, 9).Draw(t, "decimals")
		unit := strconv.Itoa(decimals)
		read := func(n int) float64 {
			f, err := strconv.ParseFloat(strconv.Itoa(n)+"e-"+unit, 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		low, step := rapid.IntRange(-100_000, 100_000).Draw(t, "low"), rapid.IntRange(1, 10_000).Draw(t, "step")
		n := rapid.IntRange(1, 100).Draw(t, "steps")
		p := Param{Name: "x", Kind: FloatRange, Low: read(low), High: read(low + n*step), Step: read(step)}
		for i := range p.Count() {
			want := read(low + i*step)
			// Beyond six decimals what should be 0 may keep the last bits of a difference.
			if got, _ := p.At(i).AsFloat(); got != want && math.Abs(got-want) > 1e-20 {
				t.Fatalf("value %d is %v, want %v", i, got, want)
			}
		}
	})
}
