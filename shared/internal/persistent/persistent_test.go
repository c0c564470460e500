package persistent

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func elements[T any](v Vector[T]) []T {
	list := []T{}
	for i, x := range v.All() {
		if i != len(list) {
			panic("indexes are not in order")
		}
		list = append(list, x)
	}
	return list
}

// A vector is a slice whose former versions stay as they were, however it was made.
func TestVectorIsASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Int(), 0, 3000).Draw(t, "begin")
		v := Collect(want)
		type version struct {
			Vector[int]
			want []int
		}
		versions := []version{{v, want}}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			at := rapid.SampledFrom(versions).Draw(t, "version")
			i := rapid.IntRange(0, len(at.want)).Draw(t, "index")
			x := rapid.Int().Draw(t, "x")
			want := slices.Clone(at.want)
			v := at.Vector
			if i == len(want) {
				want, v = append(want, x), v.Append(x)
			} else {
				want[i] = x
				v = v.Set(i, x)
			}
			versions = append(versions, version{v, want})
		}
		for _, at := range versions {
			if diff := gocmp.Diff(at.want, elements(at.Vector)); diff != "" || at.Len() != len(at.want) {
				t.Fatalf("%d elements, want %d:\n%s", at.Len(), len(at.want), diff)
			}
			for i, x := range at.want {
				if at.At(i) != x {
					t.Fatalf("element %d is %d, want %d", i, at.At(i), x)
				}
			}
		}
		a, b := rapid.SampledFrom(versions).Draw(t, "old"), rapid.SampledFrom(versions).Draw(t, "new")
		var differ []int
		for i, x := range b.want {
			if i >= len(a.want) || a.want[i] != x {
				differ = append(differ, i)
			}
		}
		if diff := gocmp.Diff(differ, slices.Collect(Changed(a.Vector, b.Vector))); diff != "" {
			t.Fatalf("changed: %s", diff)
		}
	})
}

// 40,000 elements make a tree of four levels.
func TestVectorGrows(t *testing.T) {
	var v Vector[int]
	for i := range 40_000 {
		v = v.Append(i)
	}
	for i := range 40_000 {
		if v.At(i) != i {
			t.Fatalf("element %d is %d", i, v.At(i))
		}
	}
	sum := 0
	for i, x := range v.From(39_990) {
		if i != x {
			t.Fatalf("element %d is %d", i, x)
		}
		if sum += x; i == 39_995 {
			break
		}
	}
	if want := 6*39_990 + 15; sum != want {
		t.Errorf("from 39,990 to 39,995: %d, want %d", sum, want)
	}
	changed := slices.Collect(Changed(v, v.Set(7, -1).Set(20_000, -1).Append(0)))
	if !slices.Equal(changed, []int{7, 20_000, 40_000}) {
		t.Errorf("changed: %v", changed)
	}
	for i := range Changed(Vector[int]{}, v) {
		if i == 3 {
			break
		}
	}
}

func TestVectorRefusesWhatIsNotThere(t *testing.T) {
	v := Collect([]int{1, 2})
	for name, f := range map[string]func(){
		"at -1": func() { v.At(-1) }, "at 2": func() { v.At(2) }, "set 3": func() { v.Set(3, 0) },
		"in a set": func() { NewSet(cmp.Compare[int]).At(0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", name)
				}
			}()
			f()
		}()
	}
}

// depth returns the tree's depth and whether all sizes are right.
func (n *node[T]) depth() (int, bool) {
	if n == nil {
		return 0, true
	}
	l, lok := n.left.depth()
	r, rok := n.right.depth()
	return max(l, r) + 1, lok && rok && n.size == n.left.weight()+n.right.weight()+1
}

// entry is compared by its key alone.
type entry struct{ key, value int }

func byKey(a, b entry) int { return cmp.Compare(a.key, b.key) }

// A set is a sorted slice whose former versions stay as they were.
func TestSetIsASortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "begin")
		want := make([]entry, n)
		for i := range want {
			want[i] = entry{2 * i, -1}
		}
		s := NewSet(byKey, want...)
		former, formerWant := s, want
		for i := range rapid.IntRange(0, 200).Draw(t, "steps") {
			x := entry{rapid.IntRange(-2, 90).Draw(t, "key"), i}
			at, there := slices.BinarySearchFunc(want, x, byKey)
			want = slices.Clone(want)
			switch {
			case rapid.IntRange(0, 2).Draw(t, "without") == 0:
				s = s.Without(x)
				if there {
					want = slices.Delete(want, at, at+1)
				}
			case there:
				s, want[at] = s.With(x), x
			default:
				s, want = s.With(x), slices.Insert(want, at, x)
			}
			got, ok := s.Get(x)
			at, there = slices.BinarySearchFunc(want, x, byKey)
			if ok != there || ok && got != want[at] || s.Rank(x) != at {
				t.Fatalf("get %d: %v %v, rank %d, want rank %d", x.key, got, ok, s.Rank(x), at)
			}
		}
		for _, c := range []struct {
			s    Set[entry]
			want []entry
		}{{s, want}, {former, formerWant}} {
			if got := slices.Collect(c.s.All()); !slices.Equal(got, c.want) || c.s.Len() != len(c.want) {
				t.Fatalf("%d elements %v, want %v", c.s.Len(), got, c.want)
			}
			for i, x := range c.want {
				if c.s.At(i) != x {
					t.Fatalf("at %d: %v, want %v", i, c.s.At(i), x)
				}
			}
			if first, ok := c.s.First(); ok != (len(c.want) > 0) || ok && first != c.want[0] {
				t.Fatalf("first %v, %v", first, ok)
			}
		}
	})
}

// A tree of weight at most 3 to 1 has a depth of at most log(n+1)/log(4/3), here 33; one
// that only grows at an end or is shuffled stays well below.
func TestSetStaysBalanced(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	rising, falling, shuffled := NewSet(cmp.Compare[int]), NewSet(cmp.Compare[int]), NewSet(cmp.Compare[int])
	const n = 10_000
	for i, x := range rng.Perm(n) {
		rising, falling, shuffled = rising.With(i), falling.With(-i), shuffled.With(x)
	}
	for range n / 2 {
		first, _ := rising.First()
		rising = rising.Without(first)
	}
	for name, s := range map[string]Set[int]{"rising": rising, "falling": falling, "shuffled": shuffled} {
		if depth, ok := s.root.depth(); depth > 24 || !ok {
			t.Errorf("%s: depth %d of %d elements, sizes right: %v", name, depth, s.Len(), ok)
		}
	}
	for x := range shuffled.All() {
		if x == 3 {
			break
		}
	}
}
