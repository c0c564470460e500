package baseline

import (
	"errors"
	"math"
	"slices"
	"strings"
	"unicode"
)

// TermOptions says which terms become features and how they are weighted.
type TermOptions struct {
	MaxN      int     // terms are runs of 1 to MaxN tokens; at least 1
	Sublinear bool    // a term's frequency counts as 1 + ln tf
	MinDF     int     // leave out terms of fewer documents; 0 counts as 1
	MaxDF     float64 // leave out terms of more than this share of the documents; 0 counts as 1
}

// A Vector is a sparse row: the features' positions, ascending, and their values.
type Vector struct {
	Index []int
	Value []float64
}

// TFIDF turns texts into vectors as scikit-learn's TfidfVectorizer does:
// tf · (ln((1+n)/(1+df)) + 1), divided by the row's Euclidean norm. It is read-only once
// fitted and safe for concurrent use.
type TFIDF struct {
	options  TermOptions
	terms    []string // in code-point order; the position is the feature
	position map[string]int
	idf      []float64
}

// FitTFIDF learns the terms and their document frequencies. It fails when no term is left.
func FitTFIDF(texts []string, o TermOptions) (*TFIDF, error) {
	o.MaxN, o.MinDF = max(o.MaxN, 1), max(o.MinDF, 1)
	if o.MaxDF == 0 {
		o.MaxDF = 1
	}
	df := map[string]int{}
	for _, text := range texts {
		for term := range o.count(text) {
			df[term]++
		}
	}
	v := &TFIDF{options: o, position: map[string]int{}}
	n := float64(len(texts))
	for term, count := range df {
		if count >= o.MinDF && float64(count) <= o.MaxDF*n {
			v.terms = append(v.terms, term)
		}
	}
	if len(v.terms) == 0 {
		return nil, errors.New("fit TF-IDF: no term is left; texts need words of two letters or more")
	}
	slices.Sort(v.terms)
	v.idf = make([]float64, len(v.terms))
	for i, term := range v.terms {
		v.position[term] = i
		v.idf[i] = math.Log((1+n)/(1+float64(df[term]))) + 1
	}
	return v, nil
}

// Features returns the length of the vectors.
func (v *TFIDF) Features() int { return len(v.terms) }

// Transform returns a text's vector; terms that were not learnt are left out.
func (v *TFIDF) Transform(text string) Vector {
	var row Vector
	counts := v.options.count(text)
	for term := range counts {
		if i, ok := v.position[term]; ok {
			row.Index = append(row.Index, i)
		}
	}
	slices.Sort(row.Index)
	norm := 0.0
	for _, i := range row.Index {
		tf := float64(counts[v.terms[i]])
		if v.options.Sublinear {
			tf = 1 + math.Log(tf)
		}
		row.Value = append(row.Value, tf*v.idf[i])
		norm += tf * v.idf[i] * tf * v.idf[i]
	}
	for i := range row.Value {
		row.Value[i] /= math.Sqrt(norm)
	}
	return row
}

// count returns how often each term stands in a text.
func (o TermOptions) count(text string) map[string]int {
	tokens := tokens(text)
	counts := map[string]int{}
	for n := 1; n <= o.MaxN; n++ {
		for i := 0; i+n <= len(tokens); i++ {
			counts[strings.Join(tokens[i:i+n], " ")]++
		}
	}
	return counts
}

// tokens returns the runs of two or more letters, digits and underscores, in lower case:
// scikit-learn's (?u)\b\w\w+\b.
func tokens(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_'
	})
	return slices.DeleteFunc(words, func(w string) bool {
		return len([]rune(w)) < 2
	})
}
