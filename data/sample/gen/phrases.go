package main

// A phrasing is a template for one sentence: {a|b|} stands for one of its alternatives, $name
// for a phrase of the shared table. The texts are written for this corpus; none is taken
// from anybody's post.
type phrasing = string

// shared holds the alternatives that many phrasings use.
var shared = map[string]string{
	"when":   "{lately|these days|at the moment|for weeks now|since last month|since spring|again|this month||}",
	"start":  "{|||Honestly, |And |To be honest, |The truth is that |Well, |I guess |Somehow }",
	"who":    "{my sister|my brother|my mother|my father|a colleague|my neighbour|my flatmate|my best friend|my cousin|my old teacher}",
	"past":   "{Years ago|Back in school|Two winters ago|Before I moved here|After my first job|In my last year at college|When I was nineteen}",
	"over":   "{but that is over|but that is long gone|and I am glad it passed|but I left that behind|and it has not come back|but it is behind me now}",
	"again":  "{again|now|these days|lately|once more}",
	"before": "{any more|any more|at all|}",
	"hobby":  "{playing the guitar|painting|football|gardening|reading|cooking|my choir|hiking|dancing|photography}",
}

// A theme holds the phrasings of one criterion. The cues say that the writer meets it now;
// everything else talks about the same things without meeting it.
type theme struct {
	id       string
	share    float64    // of the posts that meet it, before label noise
	cues     []phrasing // what most posts say
	rare     []phrasing // the same in other words, seldom used
	negated  []phrasing // the writer says that it is not so, or no longer
	others   []phrasing // somebody else has it
	past     []phrasing // the writer had it once
	harmless []phrasing // it has an outer cause, or only sounds like it
}

// themes lists the nine criteria of a depressive episode.
var themes = []theme{depressedMood, anhedonia, appetiteChange, sleepIssues, psychomotor, fatigue, worthlessness, cognitiveIssues, suicidalThoughts}

var depressedMood = theme{
	id: "depressed_mood", share: 0.36,
	cues: []phrasing{
		"$start{I feel|I am feeling|I am} {so sad|sad and empty|empty|hopeless|so hopeless} $when",
		"$start{I feel|I am} {sad|empty|hopeless} {from morning to evening|nearly all day|the whole day|almost every day}",
		"$start{everything|my life|the future} {feels|looks|seems} {hopeless|empty|sad|empty and hopeless} $when",
		"$start{I cry|I keep crying|I start to cry|I am so sad that I cry} {for no reason|over small things|in the car|after work} $when",
		"There is {an empty|a sad and empty|a hopeless} feeling in {me|my chest} {that does not leave|all day long|from morning on}",
		"My mood {is|has been|stays} {so low|very low|sad|hopeless} $when",
		"I {have no hope|have lost all hope} and feel {empty|sad|hopeless} {inside|all day|}",
	},
	rare: []phrasing{
		"It is as if {somebody had turned off the lights inside me|a grey curtain hung in front of everything}",
		"{Tears come|My eyes fill} as soon as {I close the door|nobody looks} $when",
		"{A weight sits on my heart|My heart is heavy} and nothing makes it lighter",
	},
	negated: []phrasing{
		"I {am not|do not feel} {sad|empty|hopeless|down} {about it|any more|at all}",
		"My mood {is fine|is much better|is good} $again, {no tears|nothing hopeless about it|not low at all}",
		"{I do not cry any more|I have stopped crying} and {I have hope again|the future looks fine}",
		"I would not say that I feel {sad|hopeless|empty|low}, {only annoyed|just busy|rather calm}",
	},
	others: []phrasing{
		"$who {feels|has been feeling} {so sad|empty|hopeless|down} {since the divorce|these days|lately}",
		"$who {cries|keeps crying} {for no reason|over small things} and I {try to listen|bring her tea}",
	},
	past: []phrasing{
		"$past I {felt|was} {sad|empty|hopeless|low} {all day|nearly every day|for months}, $over",
		"$past I {cried|was in tears} {every evening|for no reason}, $over",
	},
	harmless: []phrasing{
		"{The film|The last episode|The song} was so sad that {we all cried|I was in tears}, {in a good way|and I loved it}",
		"The fridge is {empty|sadly empty} and my football team is {hopeless|in a low place} this season",
	},
}

var anhedonia = theme{
	id: "anhedonia", share: 0.25,
	cues: []phrasing{
		"$start{I do not enjoy|I cannot enjoy|I no longer enjoy} {anything|$hobby|$hobby|the things I loved} $before",
		"$start{I have lost|I lost} {all interest|interest|all pleasure} in {everything|$hobby|my friends|my hobbies} $when",
		"{I have no interest|I find no pleasure|There is no pleasure} in {any of my hobbies|anything I liked|seeing friends|$hobby} $before",
		"$hobby {gives me no pleasure|brings me no joy|is no fun|does not interest me} $before",
		"$start{I used to enjoy} $hobby and now {I feel nothing|I find no pleasure in it|it leaves me cold|I have no interest}",
		"{Nothing|Not even $hobby} {is fun|gives me pleasure|brings me joy} and I {have no interest|enjoy nothing} $before",
	},
	rare: []phrasing{
		"{The guitar|My camera|My paint box} {gathers dust|has been in its case for months} and {I do not miss it|I could not say why}",
		"{Good news reaches me|Even the holidays passed} {like weather on another planet|without touching me}",
		"Things that {thrilled|delighted} me {are only noise|have gone flat}",
	},
	negated: []phrasing{
		"I {still enjoy|really enjoy|do enjoy} {$hobby|my hobbies|seeing friends} $again",
		"$hobby {is fun|brings me joy|gives me pleasure} $again, {so my interest is back|nothing lost there}",
		"I have not lost {interest in anything|my interest in $hobby|any pleasure in life}",
	},
	others: []phrasing{
		"$who {has lost all interest|has no interest any more|finds no pleasure} in {$hobby|anything|old hobbies}",
		"$who does not enjoy {anything|$hobby} {any more|since retiring}, which {worries me|is a pity}",
	},
	past: []phrasing{
		"$past {nothing was fun|I enjoyed nothing|I had lost interest in everything}, $over",
		"$past I {did not enjoy|had no joy in} {$hobby|anything} for months, $over",
	},
	harmless: []phrasing{
		"I have {no interest in|never cared for} {golf|cars|the stock market}, {it bores me|never had}",
		"{The meeting|The party|That board game} was no fun, but {I enjoyed the evening after|the food was great}",
	},
}

var appetiteChange = theme{
	id: "appetite_change", share: 0.18,
	cues: []phrasing{
		"$start{I hardly eat|I barely eat|I cannot eat|I do not eat} {anything|proper meals|more than a few bites} $when",
		"$start{I have no appetite|my appetite is gone|I have lost my appetite|I have lost my appetite and some weight} $when",
		"$start{I eat all day|I keep eating|I eat far too much|I cannot stop eating} {without an appetite|even when I am full|since my mood changed|at night}",
		"I have {lost|gained|put on} {a lot of weight|five kilos of weight} {without trying|in two months|since spring} {because I have no appetite|because I hardly eat|because I eat all day}",
		"{Food tastes of nothing|Food has no taste}, {I eat too little|I have no appetite|I hardly eat} and {I skip meals|my weight keeps dropping}",
		"I skip {meals|most meals|my meals} {because I have no appetite|because I cannot eat|day after day}",
	},
	rare: []phrasing{
		"My {jeans|trousers|old belts} {slide off|hang loose|no longer close} and {I have not tried to change that|I never planned it}",
		"{The plate goes back full|Dinner ends up in the bin} {most evenings|nearly always}",
	},
	negated: []phrasing{
		"I {eat|am eating} {well|proper meals|normally} $again and my {weight|appetite} is {fine|stable|back}",
		"My {appetite|weight} has not changed, {I eat as always|food still tastes good}",
		"{No trouble with food|Nothing wrong with my appetite}, I {eat three meals a day|am hungry at noon as always}",
	},
	others: []phrasing{
		"$who {hardly eats|has no appetite|skips meals|has lost a lot of weight} {these days|lately|since the move}",
	},
	past: []phrasing{
		"$past I {hardly ate|had no appetite|lost ten kilos|ate far too much}, $over",
	},
	harmless: []phrasing{
		"I {eat less meat|skip sweet food|count my meals} because {I train for a race|the doctor wants to lower my weight a little}, all planned",
		"{A stomach bug|The dentist} {took my appetite|kept me from food} for {two days|a weekend}, then I was hungry like a wolf",
	},
}

var sleepIssues = theme{
	id: "sleep_issues", share: 0.32,
	cues: []phrasing{
		"$start{I cannot sleep|I can't sleep|I hardly sleep|I barely sleep|I do not sleep} {at night|before three|more than four hours|through the night} $when",
		"$start{I lie awake|I am awake|I stay awake} {until dawn|for hours|half the night|every night|until four} $when",
		"$start{I wake up|I keep waking up} {at four|at night|before dawn|every two hours} and {cannot get back to sleep|cannot sleep again|lie awake}",
		"{My insomnia|This insomnia|The insomnia} {is back|gets worse|is awful|keeps me awake} $when",
		"$start{I sleep too much|I sleep twelve hours|I sleep all day} {and could sleep more|and never feel rested|even on weekdays} $when",
		"{My sleep is|My nights without sleep are} {terrible|broken|a mess|awful} $when",
	},
	rare: []phrasing{
		"I {know every sound of the house between two and five|watch the ceiling till the birds begin}",
		"{The alarm finds me with open eyes|I count the hours on the clock} {nearly every time|once more}",
		"I {crawl under the blanket after work and only surface the next noon|could hibernate like a bear}",
	},
	negated: []phrasing{
		"I {sleep|am sleeping} {fine|well|through the night|like a stone} $again",
		"{I do not lie awake|I have no insomnia|I do not wake at night} $before, {my sleep is good|it is eight hours every night}",
		"My sleep {is fine|is good|is back to normal}, {I am rested|that is not the problem}",
	},
	others: []phrasing{
		"$who {cannot sleep|lies awake|has insomnia|sleeps all day} {since the operation|these days|lately|again}",
		"{The baby|The dog} {next door|of my sister} wakes up at night and {nobody there gets any sleep|keeps them awake}",
	},
	past: []phrasing{
		"$past I {could not sleep|lay awake every night|had insomnia|slept all day}, $over",
	},
	harmless: []phrasing{
		"{The new neighbours|The building site|A fire alarm} kept me awake {on Friday|one night}, {I made up for the sleep on Sunday|then I slept well}",
		"I {stayed awake late|went to bed late} {for the match|to finish a good book} and {slept in|slept long} on Saturday",
	},
}

var psychomotor = theme{
	id: "psychomotor", share: 0.17,
	cues: []phrasing{
		"$start{I cannot sit still|I am so restless|I am restless all day|I can't sit still} $when",
		"$start{I keep pacing|I am pacing|I am restless and keep pacing} {the room|the flat|the corridor} {for hours|all evening|without a reason} $when",
		"$start{I move|I walk|I speak} so {slowly|slowly} that {people notice|others ask about it|my family remarks on it}",
		"I {fidget|keep fidgeting} {all day|in every meeting|without noticing} and {cannot sit still|feel restless}",
		"My {movements|steps|words} come so slowly $when",
		"{Restless|So restless}, I {keep pacing through the flat|cannot sit still} {through every meal|all evening|all day}",
	},
	rare: []phrasing{
		"It {takes me ten minutes to tie my shoes|feels like wading through honey} and {everyone can see it|my colleagues tease me}",
		"There is {a motor in my legs|an engine under my skin} that {never switches off|keeps me on my feet}",
	},
	negated: []phrasing{
		"I am {not restless|not slowed down|not fidgeting} $before and {sit still|move} {without trouble|as always}",
		"{No pacing|No fidgeting} any more, I {can sit still|sit still through long films} $again",
	},
	others: []phrasing{
		"$who {is so restless|keeps pacing|cannot sit still|moves so slowly} {these days|lately|since the accident}",
	},
	past: []phrasing{
		"$past I {was restless|kept pacing at night|could not sit still|moved in slow motion}, $over",
	},
	harmless: []phrasing{
		"I {walk slowly|move slowly} because of {my knee|a twisted ankle}, {it heals|nothing more}",
		"{The children|The puppies} cannot sit still and {run up and down|pace the flat} all evening",
	},
}

var fatigue = theme{
	id: "fatigue", share: 0.30,
	cues: []phrasing{
		"$start{I am|I feel} {so tired|exhausted|always tired|tired and exhausted|completely exhausted} $when",
		"$start{I have no energy|I have no energy left|my energy is gone} {for anything|for the simplest things|to shower|to cook} $when",
		"{Everything|Even a shower|The smallest task|Washing up} {costs all my energy|leaves me exhausted|makes me tired} $when",
		"{I am tired|I feel exhausted} {after an hour of work|before the day begins|whatever I do|although I rest a lot}",
		"$start{I barely have the energy to|I am too tired to|I am too exhausted to} {get up|answer messages|leave the house|work}",
		"I am {tired|exhausted} in every bone and {have no energy|my energy never comes back}",
	},
	rare: []phrasing{
		"My {battery is flat by noon|tank is dry|arms weigh a ton} {whatever I do|and nothing fills it up}",
		"I {climb the stairs like an old man|have to lie down after brushing my teeth} $when",
	},
	negated: []phrasing{
		"I {have|have got} {plenty of energy|my energy back|enough energy} $again and am {not tired|not exhausted}",
		"I am not {tired|exhausted|worn out} $before, {work is easy|I even go running}",
	},
	others: []phrasing{
		"$who {is always tired|is exhausted|has no energy} {these days|lately|since the night shifts}",
	},
	past: []phrasing{
		"$past I {was tired all the time|was exhausted|had no energy}, $over",
	},
	harmless: []phrasing{
		"I am {tired|pleasantly tired|exhausted} {from moving boxes|after the marathon|from a long hike}, {the good kind|one day of rest will do}",
		"I am tired of {the rain|these updates|that advert}, {who is not|like everyone}",
	},
}

var worthlessness = theme{
	id: "worthlessness", share: 0.25,
	cues: []phrasing{
		"$start{I feel|I am} {worthless|so worthless|useless and worthless|a worthless person} $when",
		"$start{I feel guilty|I feel so guilty} {about everything|for small mistakes|for being like this|all the time}",
		"$start{I am|I see myself as} {a failure|a burden|nothing but a burden|a worthless burden} {to everyone|to my family|in everything I do}",
		"I {blame|hate} myself {for everything|for every mistake} and feel {guilty|worthless} $when",
		"{Everything is my fault|It is all my fault} and {I feel guilty|I feel worthless|I blame myself}",
		"I feel like a {failure|burden} {as a parent|as a friend|compared to others|at work}",
	},
	rare: []phrasing{
		"{Whenever somebody praises me|When people are kind} I think {they have the wrong person|they only pity me}",
		"I {apologise to everybody for taking up space|go through my old mistakes like a court file}",
	},
	negated: []phrasing{
		"I {do not feel|am not feeling} {guilty|worthless|useless} {about it|any more|at all}",
		"{I know my worth|I am not a burden} and I {do not blame myself|am no failure}",
		"I am not a failure, {I did what I could|it was bad luck}, and {I feel no guilt|nobody blames me}",
	},
	others: []phrasing{
		"$who {feels worthless|feels guilty about everything|is blamed for nothing and still feels guilty|says that everything is a failure}",
	},
	past: []phrasing{
		"$past I {felt worthless|felt guilty all the time|thought I was a failure}, $over",
	},
	harmless: []phrasing{
		"I feel {a bit guilty|guilty} about {the last piece of cake|the unused gym card}, {but not much|and I laugh about it}",
		"{The old printer|This app} is {useless|worthless|a failure}, {I want my money back|so I ordered another}",
	},
}

var cognitiveIssues = theme{
	id: "cognitive_issues", share: 0.24,
	cues: []phrasing{
		"$start{I cannot concentrate|I can't focus|I cannot focus|I can't concentrate} {on anything|at work|on a single page|in class} $when",
		"$start{I cannot decide|I am unable to decide|it is impossible to decide} {anything|what to wear|the simplest things|between two soups}",
		"{I forget everything|I keep forgetting things|I cannot remember what I just read|I cannot remember names} and {cannot focus|cannot concentrate} $when",
		"My {head|mind} is {foggy|full of fog} and {I cannot think|I cannot focus|I cannot concentrate}",
		"I read {the same page|one email|the same line} {five times|over and over} and {cannot focus|remember nothing|cannot concentrate}",
		"$start{to focus|to decide anything|to concentrate} {takes forever|is so hard|is too much for me} $when",
	},
	rare: []phrasing{
		"{Words slip away in mid-sentence|My thoughts break off like dry twigs} $when",
		"I {stand in the supermarket for an hour and leave with nothing|put the keys in the fridge and the milk in the cupboard}",
	},
	negated: []phrasing{
		"I can {concentrate|focus|think} {well|clearly} $again and {my memory is fine|decide quickly}",
		"My {concentration|memory|focus} is {fine|good}, {I never forget a date|no fog at all}",
	},
	others: []phrasing{
		"$who {cannot concentrate|keeps forgetting names|cannot decide anything|cannot focus} {these days|lately|in class}",
	},
	past: []phrasing{
		"$past I {could not concentrate|could not focus on a page|kept forgetting everything}, $over",
	},
	harmless: []phrasing{
		"{The open office is so loud that|With the drilling outside} nobody can {concentrate|focus} {before noon|there}",
		"We could not decide {between two sofas|on a name for the cat}, so we {tossed a coin|asked grandma}",
	},
}

var suicidalThoughts = theme{
	id: "suicidal_thoughts", share: 0.16,
	cues: []phrasing{
		"$start{I think about death|I think about suicide|I think about dying} {a lot|every night|more and more} $when",
		"$start{I wish I were dead|I want to die|I wish I could die|I do not want to be alive} $when",
		"$start{I do not want to be alive|I would rather not be alive|I wish I were not alive} {any more|$when}",
		"{Thoughts of|The thoughts about} {suicide|death|suicide and death} {come back|do not leave me|scare me} $when",
		"{Being dead|Death|To die} {seems easier than to be alive|feels like a way out|would be a relief} $when",
		"I {told the helpline|told my therapist|wrote to the crisis line} that {I want to die|I think about suicide|I do not want to be alive}",
	},
	rare: []phrasing{
		"{Part of me wants to vanish for good|I would like to stop existing}, and {that frightens me|I told nobody}",
		"I {wonder whether anyone would miss me|imagine how the world goes on without me} {again and again|more often than before}",
	},
	negated: []phrasing{
		"{It is not that I want to die|I do not want to die|I have no thoughts of suicide}, I {only want some quiet|want things to change|am glad to be alive}",
		"I am {glad to be alive|happy to be alive} and {do not think about death|have no thoughts of dying} $before",
	},
	others: []phrasing{
		"$who {talked about suicide|thinks about death a lot|once wanted to die} and {has a good therapist now|found help}",
	},
	past: []phrasing{
		"$past I {wanted to die|thought about suicide|thought about death a lot}, $over",
	},
	harmless: []phrasing{
		"{My phone died|The car battery is dead} {on the way home|again}, {I could have died laughing|what a day}",
		"{The documentary|The podcast} was about {death in the Middle Ages|a suicide helpline and its volunteers}, {well made|I learnt a lot}",
	},
}
