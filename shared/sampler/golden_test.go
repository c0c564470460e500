package sampler

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// number is a float that the golden files write as "inf", "-inf" or "nan" where JSON has
// no other way.
type number float64

func (n *number) UnmarshalJSON(data []byte) error {
	text := string(data)
	if s, err := strconv.Unquote(text); err == nil {
		text = s
	}
	f, err := strconv.ParseFloat(text, 64)
	*n = number(f)
	return err
}

func floats(numbers []number) []float64 {
	f := make([]float64, len(numbers))
	for i, n := range numbers {
		f[i] = float64(n)
	}
	return f
}

// readGolden reads every file that matches the pattern below the golden hpo folder.
func readGolden[T any](t *testing.T, pattern string) map[string]T {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goldentest.Dir(t, "hpo"), pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("find %s: %v, %d files", pattern, err, len(files))
	}
	read := make(map[string]T)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var content T
		if err := json.Unmarshal(data, &content); err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		read[filepath.Base(file)] = content
	}
	return read
}

// near reports whether got is within tol of want, absolutely or relative to it.
func near(got, want, tol float64) bool {
	return got == want || math.Abs(got-want) <= tol*max(1, math.Abs(want))
}

type nsga2File struct {
	Sets []struct {
		Values     [][]number
		Directions []string
		Kept       []int
		Ranks      []int `json:"rank_of_kept"`
		Fronts     [][]int
		Crowding   map[string]number
		Sorted     [][]int  `json:"fronts_sorted_by_crowding"`
		Ref        []number `json:"ref_point_in_minimised_space"`
		Volume     number   `json:"hypervolume"`
		VolumeAll  number   `json:"hypervolume_all"`
	}
}

func TestGoldenNSGA2(t *testing.T) {
	sets := 0
	for name, file := range readGolden[nsga2File](t, "nsga2*.json") {
		for i, set := range file.Sets {
			sets++
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				dirs := make([]Direction, len(set.Directions))
				ref := floats(set.Ref)
				for j, d := range set.Directions {
					if d == Minimize.String() {
						dirs[j] = Minimize
					} else {
						ref[j] = -ref[j]
					}
				}
				all := make([][]float64, len(set.Values))
				for j, row := range set.Values {
					all[j] = floats(row)
				}
				ranks := NonDominatedRanks(all, dirs)
				for j, i := range set.Kept {
					if ranks[i] != set.Ranks[j] {
						t.Errorf("rank of %d is %d, want %d", i, ranks[i], set.Ranks[j])
					}
				}
				for i, rank := range ranks {
					if (rank < 0) == slices.Contains(set.Kept, i) {
						t.Errorf("point %d %v has rank %d", i, all[i], rank)
					}
				}
				checkFronts(t, all, ranks, set.Fronts, set.Crowding)
				for k, f := range set.Fronts {
					front := rows(all, f)
					// Among equal distances the golden order is an accident of its sorts.
					crowding := map[int]float64{}
					for j, d := range Crowding(front) {
						crowding[f[j]] = d
					}
					for j, o := range BestFirst(front, dirs) {
						if got, want := crowding[f[o]], crowding[set.Sorted[k][j]]; !near(got, want, 1e-9) {
							t.Errorf("front %d: place %d has crowding %v, want %v", k, j, got, want)
						}
					}
				}
				if got := Hypervolume(rows(all, set.Fronts[0]), dirs, ref); !near(got, float64(set.Volume), 1e-9) {
					t.Errorf("hypervolume of the first front is %v, want %v", got, set.Volume)
				}
				if got := Hypervolume(rows(all, set.Kept), dirs, ref); !near(got, float64(set.VolumeAll), 1e-9) {
					t.Errorf("hypervolume of all is %v, want %v", got, set.VolumeAll)
				}
			})
		}
	}
	if sets == 0 {
		t.Fatal("no sets found")
	}
}

func rows(all [][]float64, index []int) [][]float64 {
	picked := make([][]float64, len(index))
	for j, i := range index {
		picked[j] = all[i]
	}
	return picked
}

func checkFronts(t *testing.T, all [][]float64, ranks []int, fronts [][]int, crowding map[string]number) {
	t.Helper()
	for k, want := range fronts {
		var got []int
		for i, rank := range ranks {
			if rank == k {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("front %d is %v, want %v", k, got, want)
		}
		for j, d := range Crowding(rows(all, want)) {
			if c, ok := crowding[strconv.Itoa(want[j])]; !ok || !near(d, float64(c), 1e-9) {
				t.Errorf("crowding of %d is %v, want %v", want[j], d, c)
			}
		}
	}
}

type parzenFile struct {
	Cases []parzenCase
	Gamma struct {
		Default []int            `json:"default_gamma"`
		Several []int            `json:"multiobjective_gamma"`
		Weights map[int][]number `json:"default_weights"`
	}
	Splits []struct {
		Direction string
		NBelow    int `json:"n_below"`
		Trials    []struct {
			Number    int
			State     string
			Value     float64
			LastStep  int     `json:"last_step"`
			LastValue float64 `json:"last_value"`
		}
		Below []int
	}
}

type parzenCase struct {
	Space map[string]struct {
		Kind      string
		Low, High float64
		Log       bool
		Step      *float64
		Choices   int `json:"n_choices"`
	}
	Config struct {
		Multivariate bool
		PriorWeight  *float64 `json:"prior_weight"`
		Endpoints    *bool    `json:"consider_endpoints"`
		MagicClip    *bool    `json:"consider_magic_clip"`
		Weights      []number `json:"predetermined_weights"`
	}
	Obs, Points map[string][]number
	Weights     []number
	Components  []struct {
		Param     string
		Mu, Sigma []number
		Weights   json.RawMessage // one row a component, where the parameter is categorical
	}
	LogPDF []number `json:"log_pdf"`
}

func TestGoldenParzen(t *testing.T) {
	cases := 0
	for name, file := range readGolden[parzenFile](t, "parzen_optuna*.json") {
		for i, c := range file.Cases {
			cases++
			// Of the two versions, only the older one has widths of its own where dimensions are
			// joined; its files say so in every case.
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) { checkParzen(t, c) })
		}
	}
	if cases == 0 {
		t.Fatal("no cases found")
	}
}

func checkParzen(t *testing.T, c parzenCase) {
	cfg := defaultParzen
	cfg.scott = c.Config.Multivariate
	if c.Config.PriorWeight != nil {
		cfg.priorWeight = *c.Config.PriorWeight
	}
	if c.Config.Endpoints != nil {
		cfg.endpoints = *c.Config.Endpoints
	}
	if c.Config.MagicClip != nil {
		cfg.magicClip = *c.Config.MagicClip
	}
	var dims []dimension
	var observed, points [][]float64
	for _, component := range c.Components {
		p := c.Space[component.Param]
		if p.Kind == "categorical" {
			dims = append(dims, dimension{choices: p.Choices})
		} else {
			step := 0.0
			if p.Step != nil {
				step = *p.Step
			}
			dims = append(dims, newRange(p.Low, p.High, step, p.Log))
		}
		observed = append(observed, floats(c.Obs[component.Param]))
		points = append(points, floats(c.Points[component.Param]))
	}
	p := newParzen(dims, cfg)
	if c.Config.Weights != nil {
		p.given = floats(c.Config.Weights)
	}
	p.fill(counting(len(observed[0])), func(d int) []float64 { return observed[d] }, new(sorter))
	prior := len(observed[0])
	weights := []float64{}
	for c := range prior {
		weights = append(weights, p.weight(int32(c))/p.total)
	}
	compare(t, "weight", append(weights, p.priorWeight()/p.total), floats(c.Weights), 1e-10)
	for d, component := range c.Components {
		if k := p.numeric(p.dims[d]); k != nil {
			compare(t, component.Param+" mean", append(k.means(), k.prior.mean), floats(component.Mu), 1e-10)
			adoptTies(t, component.Param, k, floats(component.Sigma))
			continue
		}
		var want [][]number
		k := p.choices[p.dims[d].index]
		if err := json.Unmarshal(component.Weights, &want); err != nil || len(want) != prior+1 {
			t.Fatalf("read %s's weights: %v, %d rows for %d", component.Param, err, len(want), prior+1)
		}
		for i, row := range want {
			for choice, probability := range floats(row) {
				log := k.logPrior
				if i < prior {
					log = k.logDensity(int32(i), int32(choice))
				}
				compare(t, component.Param+" probability", []float64{math.Exp(log)}, []float64{probability}, 1e-10)
			}
		}
	}
	for c := range prior {
		p.handicap[c] = p.startOf(int32(c)) // what it follows from was adopted
	}
	x, got := make([]float64, len(dims)), make([]float64, len(points[0]))
	for i := range got {
		for d := range x {
			x[d] = points[d][i]
		}
		got[i] = p.at(x)
	}
	compare(t, "log density", got, floats(c.LogPDF), 1e-9)
}

// counting returns 0 … n-1.
func counting(n int) []int32 {
	numbers := make([]int32, n)
	for i := range numbers {
		numbers[i] = int32(i)
	}
	return numbers
}

// adoptTies checks the widths of a kernel. Observations with the same value share out
// their widths by their place in a sort; numpy's is not stable and its order of equals
// differs from processor to processor. So equal means must have the same set of widths,
// and the kernel then takes the golden order, for the densities to be compared.
func adoptTies(t *testing.T, name string, k *numericKernel, want []float64) {
	t.Helper()
	if len(k.sigma)+1 != len(want) {
		t.Fatalf("%d sigmas of %s, want %d", len(k.sigma)+1, name, len(want))
	}
	prior := len(want) - 1
	compare(t, name+" prior's sigma", []float64{k.prior.sigma}, want[prior:], 1e-10)
	ties := make(map[float64][]int)
	for i, mean := range k.means() {
		ties[mean] = append(ties[mean], i)
	}
	for mean, members := range ties {
		var got, golden []float64
		for _, i := range members {
			got, golden = append(got, k.sigma[i]), append(golden, want[i])
		}
		slices.Sort(got)
		slices.Sort(golden)
		compare(t, fmt.Sprintf("%s sigma of mean %v", name, mean), got, golden, 1e-10)
	}
	for i := range k.sigma {
		if k.sigma[i] != want[i] {
			k.sigma[i], k.shape[i].inverse = want[i], 1/want[i]
			k.scale[i] = k.normalizer(k.shape[i].mean, want[i])
		}
	}
}

// means returns the components' means, oldest first.
func (k *numericKernel) means() []float64 {
	var means []float64
	for _, shape := range k.shape {
		means = append(means, shape.mean)
	}
	return means
}

func compare(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d of %s, want %d", len(got), what, len(want))
	}
	for i := range got {
		if !near(got[i], want[i], tol) {
			t.Errorf("%s %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestGoldenSplit(t *testing.T) {
	splits := 0
	for name, file := range readGolden[parzenFile](t, "parzen_optuna*.json") {
		for kind, rule := range map[string]struct {
			want []int
			got  func(int) int
		}{
			"default":        {file.Gamma.Default, func(n int) int { return goodTrials(n, 1) }},
			"multiobjective": {file.Gamma.Several, func(n int) int { return goodTrials(n, 2) }},
		} {
			if len(rule.want) == 0 {
				t.Errorf("%s: no %s gamma", name, kind)
			}
			for n, want := range rule.want {
				// The list starts at n = 1.
				if got := rule.got(n + 1); got != want {
					t.Errorf("%s: %s: %d good of %d, want %d", name, kind, got, n+1, want)
				}
			}
		}
		for n, want := range file.Gamma.Weights {
			got, sum := make([]float64, n), 0.0
			for i := range got {
				got[i] = recency(i, n)
				sum += got[i]
			}
			compare(t, fmt.Sprintf("%s: weight of %d", name, n), got, floats(want), 1e-12)
			compare(t, fmt.Sprintf("%s: sum of the weights of %d", name, n), []float64{totalRecency(n)}, []float64{sum}, 1e-12)
		}
		for i, s := range file.Splits {
			splits++
			p := Problem{Space: &space.Space{Params: []space.Param{uniform("x", 0, 1)}}, Directions: []Direction{Maximize}}
			if s.Direction == Minimize.String() {
				p.Directions[0] = Minimize
			}
			h := historyOf(t, p, nil)
			for _, trial := range s.Trials {
				o := Observation{Number: trial.Number, State: Completed, Values: []float64{trial.Value}, Point: space.Point{0.5}}
				if trial.State == "PRUNED" {
					o.State, o.Rung, o.Values = Paused, trial.LastStep, []float64{trial.LastValue}
				}
				set(t, h, o)
			}
			var got []int
			for _, t := range h.best(s.NBelow, bestSubset) {
				got = append(got, h.trials[t].Number)
			}
			slices.Sort(got)
			if !slices.Equal(got, s.Below) {
				t.Errorf("%s: split %d has the good trials %v, want %v", name, i, got, s.Below)
			}
		}
	}
	if splits == 0 {
		t.Fatal("no splits found")
	}
}
