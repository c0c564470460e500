package space

import "testing"

// What a study does with every trial's parameters, in the whole space.
func BenchmarkPoint(b *testing.B) {
	s := whole(b)
	a := complete()
	for b.Loop() {
		if _, err := s.Point(a); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAssignment(b *testing.B) {
	s := whole(b)
	point, err := s.Point(complete())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.Assignment(point)
	}
}

func BenchmarkComplete(b *testing.B) {
	s := whole(b)
	a := complete()
	for b.Loop() {
		if _, err := s.Complete(a); err != nil {
			b.Fatal(err)
		}
	}
}
