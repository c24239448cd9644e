all
rule 'MD026', punctuation: '.,;:!'
rule 'MD029', style: :ordered
exclude_rule 'MD013' # scripts/laws: it leaves tables out
exclude_rule 'MD014' # a command in a console block may print nothing
exclude_rule 'MD046' # an indented block is a command to type, a fenced one shows what programs print
