package space

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPoint(t *testing.T) {
	above := 0.0
	s := &Space{Params: []Param{
		{Name: "model", Kind: Categorical, Choices: []Value{String("bert"), String("xlnet")}},
		{Name: "lr", Kind: FloatRange, Low: 1e-6, High: 1e-2, Log: true},
		{Name: "rate", Kind: FloatRange, Low: 0, High: 0.5, Step: 0.05},
		{Name: "layers", Kind: IntRange, Low: 0, High: 3},
		{Name: "width", Kind: IntRange, Low: 128, High: 512, Step: 128, When: &Condition{Param: "layers", Above: &above}, Otherwise: Int(0)},
	}}
	cases := []struct {
		name  string
		a     Assignment
		point Point
	}{
		{"all on", Assignment{"model": String("xlnet"), "lr": Float(1e-3), "rate": Float(0.15), "layers": Int(2), "width": Int(256)},
			Point{1, 1e-3, 0.15, 2, 256}},
		{"one off", Assignment{"model": String("bert"), "lr": Float(1e-6), "rate": Float(0.5), "layers": Int(0), "width": Int(0)},
			Point{0, 1e-6, 0.5, 0, math.NaN()}},
	}
	for _, c := range cases {
		point, err := s.Point(c.a)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !point.Equal(c.point) || point.Equal(c.point[:4]) {
			t.Errorf("%s: point %v, want %v", c.name, point, c.point)
		}
		if diff := cmp.Diff(c.a, s.Assignment(point)); diff != "" {
			t.Errorf("%s: back again:\n%s", c.name, diff)
		}
	}
	for _, c := range []struct {
		change func(Assignment)
		want   string
	}{
		{func(a Assignment) { delete(a, "lr") }, "lr: is missing"},
		{func(a Assignment) { a["lr"] = Float(2) }, "2.0 is not allowed"},
		{func(a Assignment) { a["model"] = String("gpt") }, "gpt"},
		{func(a Assignment) { a["layers"] = Int(1); delete(a, "width") }, "width: is missing"},
	} {
		a := cases[1].a.Clone()
		c.change(a)
		if _, err := s.Point(a); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("point of %v: %v, want %q", a, err, c.want)
		}
	}
	for _, c := range []struct {
		point Point
		want  string
	}{
		{Point{0}, "a point of 1 numbers is not one of 5"},
		{Point{2, 1e-3, 0, 0, 128}, "model"},
		{Point{0.5, 1e-3, 0, 0, 128}, "model: is 0.5 in a point; allowed: bert, xlnet"},
		{Point{0, math.Inf(1), 0, 0, 128}, "lr: is +Inf"},
		{Point{0, 1e-3, -0.1, 0, 128}, "rate: is -0.1"},
		{Point{0, 1e-3, 0, 1.5, 128}, "layers: is 1.5"},
	} {
		if err := s.CheckPoint(c.point); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("point %v: %v, want %q", c.point, err, c.want)
		}
	}
}

// Whatever an assignment of a space holds, its point leads back to it.
func TestPointRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpace(t)
		a := drawActive(t, s, "value")
		full, err := s.Complete(a)
		if err != nil {
			t.Fatal(err)
		}
		point, err := s.Point(full)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CheckPoint(point); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(full, s.Assignment(point)); diff != "" {
			t.Fatal(diff)
		}
	})
}
