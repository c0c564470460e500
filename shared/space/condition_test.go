package space

import "testing"

// chain is a → b (if a is on) → c (if b > 2).
func chain() *Space {
	return &Space{Params: []Param{
		{Name: "a", Kind: Categorical, Choices: []Value{Bool(false), Bool(true)}},
		{Name: "b", Kind: IntRange, Low: 1, High: 4, When: &Condition{Param: "a", In: []Value{Bool(true)}}, Otherwise: Int(9)},
		{Name: "c", Kind: FloatRange, Low: 0, High: 1, When: &Condition{Param: "b", Above: ptr(2.0)}, Otherwise: Float(-1)},
	}}
}

func TestActive(t *testing.T) {
	s := chain()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		a       Assignment
		b, c    bool
		comment string
	}{
		{Assignment{}, false, false, "nothing is known"},
		{Assignment{"a": Bool(false)}, false, false, "a is off"},
		{Assignment{"a": Bool(true)}, true, false, "b is not known"},
		{Assignment{"a": Bool(true), "b": Int(2)}, true, false, "2 is not above 2"},
		{Assignment{"a": Bool(true), "b": Int(3)}, true, true, ""},
		{Assignment{"a": Bool(false), "b": Int(9)}, false, false, "9 is above 2, but b is off"},
		{Assignment{"a": Bool(true), "b": String("3")}, true, false, "a string is not above 2"},
	} {
		if !s.Active(tc.a, "a") || s.Active(tc.a, "b") != tc.b || s.Active(tc.a, "c") != tc.c || s.Active(tc.a, "d") {
			t.Errorf("%v: a %v b %v c %v d %v (%s)", tc.a,
				s.Active(tc.a, "a"), s.Active(tc.a, "b"), s.Active(tc.a, "c"), s.Active(tc.a, "d"), tc.comment)
		}
	}
}

func TestReachable(t *testing.T) {
	for _, tc := range []struct {
		name  string
		c     Constraints
		b, c2 bool
	}{
		{"whole", nil, true, true},
		{"a off", Constraints{"a": {Fix: Bool(false)}}, false, false},
		{"a on", Constraints{"a": {Fix: Bool(true)}}, true, true},
		{"b up to 2", Constraints{"b": {High: ptr(2.0)}}, true, false},
		{"b from 3", Constraints{"b": {Low: ptr(3.0)}}, true, true},
	} {
		s, err := chain().Narrow(tc.c)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Reachable("a") || s.Reachable("b") != tc.b || s.Reachable("c") != tc.c2 || s.Reachable("d") {
			t.Errorf("%s: b %v, c %v", tc.name, s.Reachable("b"), s.Reachable("c"))
		}
	}
	in := chain()
	in.Params[2].When = &Condition{Param: "b", In: []Value{Int(4)}}
	for high, want := range map[float64]bool{3: false, 4: true} {
		s, err := in.Narrow(Constraints{"b": {High: ptr(high)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Reachable("c"); got != want {
			t.Errorf("b up to %v: c reachable %v", high, got)
		}
	}
}

// Fixing aug.enabled to false makes its children inactive, whatever narrows them.
func TestFixedSwitch(t *testing.T) {
	s, err := whole(t).Narrow(Constraints{"aug.enabled": {Fix: Bool(false)}, "aug.p_apply": {Fix: Float(0.1)}})
	if err != nil {
		t.Fatal(err)
	}
	a := complete()
	a["aug.p_apply"] = Float(0.1)
	full, err := s.Complete(a)
	if err != nil {
		t.Fatal(err)
	}
	if full["aug.p_apply"] != Float(0) || full["aug.method_strategy"] != String("none") {
		t.Errorf("aug.p_apply %v, aug.method_strategy %v", full["aug.p_apply"], full["aug.method_strategy"])
	}
	if s.Reachable("aug.p_apply") {
		t.Error("aug.p_apply is reachable")
	}
	if p, _ := s.Param("aug.enabled"); true {
		if v, ok := p.Fixed(); !ok || v != Bool(false) {
			t.Errorf("aug.enabled is not fixed: %v", v)
		}
	}
	if p, _ := s.Param("optim.name"); true {
		if v, ok := p.Fixed(); ok {
			t.Errorf("optim.name is fixed to %v", v)
		}
	}
}
