//! `#[derive(State)]`: saves and loads the red state field by field.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result};

fn mentions(tokens: TokenStream, word: &syn::Ident) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == *word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        _ => false,
    })
}

pub fn expand(item: DeriveInput) -> Result<TokenStream> {
    let name = &item.ident;
    let Data::Struct(data) = &item.data else {
        return Err(Error::new_spanned(name, "the state is a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(name, "the state has named fields"));
    };
    let Some(mode) = item.generics.type_params().next().map(|parameter| parameter.ident.clone()) else {
        return Err(Error::new_spanned(name, "the state is generic over the mode: `struct State<M: Mode>`"));
    };
    let (mut kinds, mut save, mut greens, mut load) = (vec![], vec![], vec![], vec![]);
    let mut frame = quote!(::core::option::Option::None);
    let mut frame_word = frame.clone();
    let (mut reds, mut plains) = (0usize, 0usize);
    for field in &fields.named {
        let (field_name, ty) = (&field.ident, &field.ty);
        let is_frame = field.attrs.iter().any(|attribute| attribute.path().is_ident("frame"));
        if mentions(quote!(#ty), &mode) {
            kinds.push(quote!(<#ty as ::hotloop::internal::Stored<#mode>>::KIND));
            save.push(
                quote!(words.push(<#ty as ::hotloop::internal::Stored<#mode>>::into_red(self.#field_name));),
            );
            load.push(
                quote!(#field_name: <#ty as ::hotloop::internal::Stored<#mode>>::from_red(words[#reds])),
            );
            if is_frame {
                frame = quote!(::core::option::Option::Some(
                    (#reds, <#ty as ::hotloop::HeapType<#mode>>::cell())));
                frame_word = quote!(::core::option::Option::Some(
                    <#ty as ::hotloop::internal::Stored<#mode>>::into_red(self.#field_name)));
            }
            reds += 1;
        } else {
            if is_frame {
                return Err(Error::new_spanned(field, "the frame is a red reference"));
            }
            greens.push(quote!(words.push(::hotloop::GreenWord::to_word(self.#field_name));));
            load.push(quote!(#field_name: ::hotloop::GreenWord::from_word(greens[#plains])));
            plains += 1;
        }
    }
    Ok(quote! {
        impl<#mode: ::hotloop::Mode> ::hotloop::RedState<#mode> for #name<#mode> {
            fn kinds() -> &'static [::hotloop::internal::FieldKind] {
                &[#(#kinds),*]
            }
            fn frame() -> ::core::option::Option<(usize, &'static ::hotloop::internal::TypeCell)> {
                #frame
            }
            #[inline]
            fn frame_word(&self) -> ::core::option::Option<#mode::Word> {
                #frame_word
            }
            #[inline]
            fn save(&self, words: &mut ::std::vec::Vec<#mode::Word>) {
                #(#save)*
            }
            #[inline]
            fn greens(&self, words: &mut ::std::vec::Vec<u64>) {
                #(#greens)*
                let _ = words;
            }
            #[inline]
            fn load(words: &[#mode::Word], greens: &[u64]) -> Self {
                let _ = greens;
                Self { #(#load),* }
            }
        }
    })
}
