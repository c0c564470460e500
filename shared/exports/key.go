package exports

import "fmt"

// Key returns where a study's export is that a person asks for by name: best, top, pareto
// or candidates. ".yaml" and ".json" follow.
func Key(study, what string) (string, error) {
	switch what {
	case "best":
		return BestKey(study), nil
	case "top":
		return TopKey(study), nil
	case "pareto":
		return ParetoKey(study), nil
	case "candidates":
		return CandidatesKey(study), nil
	}
	return "", fmt.Errorf("%.40q cannot be exported; allowed: best, top, pareto, candidates", what)
}
